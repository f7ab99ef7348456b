"""The files that the folder scan finds, and the files that it skips."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirpipe.library.folder_scan import absolute_roots, scan_folders
from tests.support import hostile_files


def scan_reasons(folder: Path) -> dict[bytes, str]:
    """Return the reason code of each candidate's problem, or "", by relative path."""
    base = os.fsencode(folder.resolve()) + b"/"
    candidates = scan_folders(absolute_roots([folder]))
    return {c.path.removeprefix(base): c.problem.reason if c.problem else "" for c in candidates}


def test_visible_files_with_an_audio_suffix_in_any_case_are_candidates(tmp_path: Path) -> None:
    for name in ("a.wav", "b.FLAC", "c.Mp3", "d.txt", "e", "f.jpg", ".wav", ".h.wav", "._a.wav"):
        (tmp_path / name).touch()
    assert scan_reasons(tmp_path) == {b"a.wav": "", b"b.FLAC": "", b"c.Mp3": ""}


def test_hidden_folders_are_skipped(tmp_path: Path) -> None:
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash" / "a.wav").touch()
    assert scan_reasons(tmp_path) == {}


def test_links_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.wav").touch()
    (tmp_path / "music" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "b.wav").symlink_to(tmp_path / "elsewhere" / "a.wav")
    assert scan_reasons(tmp_path / "music") == {b"b.wav": "", b"link/a.wav": ""}


def test_entries_that_are_not_files_are_listed_with_their_reason(tmp_path: Path) -> None:
    expected = hostile_files.write_broken(tmp_path)
    scan_reason_codes = {"not_a_file", "link_loop", "dangling_link"}
    assert {name: reason for name, reason in scan_reasons(tmp_path).items() if reason} == {
        name: reason for name, reason in expected.items() if reason in scan_reason_codes
    }
    assert set(scan_reasons(tmp_path)) == set(expected)


def test_links_between_two_folders_do_not_cause_an_endless_scan(tmp_path: Path) -> None:
    for folder, linked in (("x", "y"), ("y", "x")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.wav").touch()
        (tmp_path / folder / "to").symlink_to(tmp_path / linked)
    assert scan_reasons(tmp_path) == {
        b"x/a.wav": "",
        b"x/to/a.wav": "",
        b"x/to/to": "link_loop",
        b"y/a.wav": "",
        b"y/to/a.wav": "",
        b"y/to/to": "link_loop",
    }


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder that contains a track inside 1500 nested folders.

    The fixture deletes the folder itself, because pytest would delete it recursively and fail.
    """
    folder = tmp_path / "deep"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=descriptor)
        child = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = child
    os.close(os.open("a.wav", os.O_CREAT, dir_fd=descriptor))
    os.close(descriptor)
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)


def test_folders_nested_deeper_than_the_recursion_limit_are_scanned(deep: Path) -> None:
    assert list(scan_reasons(deep)) == [b"d/" * 1500 + b"a.wav"]


def test_a_folder_that_cannot_be_listed_is_a_candidate_with_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "locked").mkdir()
    (tmp_path / "open" / "a.wav").touch()
    scandir = os.scandir

    def deny_locked(folder: bytes) -> object:
        if folder.endswith(b"locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", deny_locked)  # The root user can list every folder.
    found = {candidate.path: candidate for candidate in scan_folders(absolute_roots([tmp_path]))}
    base = os.fsencode(tmp_path.resolve())
    assert found.keys() == {base + b"/locked", base + b"/open/a.wav"}
    assert found[base + b"/locked"].is_unlisted_folder
    assert found[base + b"/locked"].problem.reason == "unreadable"  # type: ignore[union-attr]
    assert not found[base + b"/open/a.wav"].is_unlisted_folder


def test_a_root_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    found = scan_folders(absolute_roots([tmp_path / "a.wav"]))
    assert [candidate.path for candidate in found] == [os.fsencode(tmp_path.resolve() / "a.wav")]


def test_a_root_inside_another_root_is_scanned_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub-way").mkdir()
    roots = absolute_roots(
        [tmp_path / "sub", tmp_path / "sub-way", tmp_path / "sub" / "..", tmp_path]
    )
    assert roots == [os.fsencode(tmp_path.resolve())]
    assert len(absolute_roots([tmp_path / "sub", tmp_path / "sub-way"])) == 2
