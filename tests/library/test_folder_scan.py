"""What is found in folders."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirpipe.library.folder_scan import Listing, absolute, scan
from tests.support import hostile_files


def found(folder: Path) -> dict[bytes, str]:
    """Relative path → obstacle, empty where there is none."""
    base = os.fsencode(folder.resolve()) + b"/"
    candidates = scan(absolute([folder])).candidates.values()
    return {c.path.removeprefix(base): c.obstacle.reason if c.obstacle else "" for c in candidates}


def test_only_audio_suffixes_in_any_case_are_candidates(tmp_path: Path) -> None:
    for name in ("a.wav", "b.FLAC", "c.Mp3", "d.txt", "e", "f.jpg", ".wav", ".h.wav", "._a.wav"):
        (tmp_path / name).touch()
    assert found(tmp_path) == {b"a.wav": "", b"b.FLAC": "", b"c.Mp3": ""}


def test_hidden_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash" / "a.wav").touch()
    assert found(tmp_path) == {}


def test_links_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.wav").touch()
    (tmp_path / "music" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "b.wav").symlink_to(tmp_path / "elsewhere" / "a.wav")
    assert found(tmp_path / "music") == {b"b.wav": "", b"link/a.wav": ""}


def test_what_can_never_be_read_is_found_with_its_reason(tmp_path: Path) -> None:
    expected = hostile_files.write_broken(tmp_path)
    obstacles = {"not_a_file", "link_loop", "dangling_link"}
    assert {name: r for name, r in found(tmp_path).items() if r} == {
        name: reason for name, reason in expected.items() if reason in obstacles
    }
    assert set(found(tmp_path)) == set(expected)


def test_loops_of_two_folders_end(tmp_path: Path) -> None:
    for one, other in (("x", "y"), ("y", "x")):
        (tmp_path / one).mkdir()
        (tmp_path / one / "a.wav").touch()
        (tmp_path / one / "to").symlink_to(tmp_path / other)
    assert found(tmp_path) == {
        b"x/a.wav": "",
        b"x/to/a.wav": "",
        b"x/to/to": "link_loop",
        b"y/a.wav": "",
        b"y/to/a.wav": "",
        b"y/to/to": "link_loop",
    }


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder with a track below 1500 others; pytest's own way to remove it would recurse."""
    folder = tmp_path / "deep"
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("a.wav", os.O_CREAT, dir_fd=here))
    os.close(here)
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)


def test_folders_deeper_than_python_recurses_are_searched(deep: Path) -> None:
    assert list(found(deep)) == [b"d/" * 1500 + b"a.wav"]


def test_a_folder_that_cannot_be_listed_hides_what_is_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "locked").mkdir()
    (tmp_path / "open" / "a.wav").touch()
    scandir = os.scandir

    def guarded(folder: bytes) -> object:
        if folder.endswith(b"locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", guarded)  # root may list anything
    listing = scan(absolute([tmp_path]))
    base = os.fsencode(tmp_path.resolve())
    assert listing.candidates[base + b"/locked"].obstacle.reason == "unreadable"  # type: ignore[union-attr]
    assert listing.is_blind(base + b"/locked/b.wav")
    assert not listing.is_blind(base + b"/locked too/b.wav")
    assert not listing.is_blind(base + b"/open/a.wav")


def test_a_root_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    listing: Listing = scan(absolute([tmp_path / "a.wav"]))
    assert list(listing.candidates) == [os.fsencode(tmp_path.resolve() / "a.wav")]


def test_a_root_inside_another_is_searched_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub-way").mkdir()
    roots = absolute([tmp_path / "sub", tmp_path / "sub-way", tmp_path / "sub" / "..", tmp_path])
    assert roots == [os.fsencode(tmp_path.resolve())]
    assert len(absolute([tmp_path / "sub", tmp_path / "sub-way"])) == 2
