"""The matches of a target as a playlist."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mirpipe.cli.main import app, main
from tests.dashboard.example_library import Model, Piece, fill
from tests.operations.test_playlist import read_as_player
from tests.support.databases import Database

LATIN_1_NAME = os.fsdecode("é\n.ogg".encode("latin-1"))


@pytest.fixture
def music(fresh_database: Database, tmp_path: Path) -> Path:
    """Fill the library: two references with a file, one without. Return the folder."""
    folder = tmp_path / "music"
    folder.mkdir()
    pieces = [
        Piece("target", "the target"),
        Piece("reference", "one\n/etc/passwd\r#EXTINF:9,\u2028x", folder / "one.ogg", seconds=9.7),
        Piece("reference", "deux", folder / LATIN_1_NAME),
        Piece("reference", "gone", folder / "gone.ogg"),
    ]
    for piece in pieces[1:3]:
        piece.path.write_bytes(b"")
    with fresh_database.owner.begin() as connection:
        fill(connection, pieces, [Model("real", 0.5, 0.1), Model("other", 0.4, 0.1)])
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["playlist", *map(str, words)])


def test_the_playlist_contains_the_existing_files_once(music: Path, tmp_path: Path) -> None:
    file = tmp_path / "matches.m3u8"
    result = run("the target", file)
    assert result.exit_code == 0
    assert result.stdout == f"{file}: 2 tracks\n"
    assert "left out, because they have no file on this machine:\n  gone\n" in result.stderr
    entries = {path: title for title, path in read_as_player(file.read_bytes())}
    assert entries == {
        os.fsencode(music / "one.ogg"): "one /etc/passwd #EXTINF:9, x",
        os.fsencode(music / LATIN_1_NAME): "deux",
    }
    assert len(read_as_player(file.read_bytes())) == 2
    assert "#EXTINF:10,one" in file.read_text()


def test_the_order_is_that_of_the_ranks(music: Path, tmp_path: Path) -> None:
    (music / "gone.ogg").write_bytes(b"")
    file = tmp_path / "matches.m3u8"
    assert run("the target", file, "--encoder", "other").exit_code == 0
    in_full = [title for title, _ in read_as_player(file.read_bytes())]
    assert len(in_full) == 3
    assert json.loads(
        run("the target", file, "--encoder", "other", "-k", "2", "--json").stdout
    ) == {
        "tracks": 2,
        "missing": 0,
    }
    assert [title for title, _ in read_as_player(file.read_bytes())] == in_full[:2]


def test_without_any_file_nothing_is_written(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in music.iterdir():
        path.unlink()
    file = tmp_path / "matches.m3u8"
    monkeypatch.setattr("sys.argv", ["mirpipe", "playlist", "the target", str(file)])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 1
    assert "no playlist was written" in capsys.readouterr().err
    assert not file.exists()


def test_a_folder_that_does_not_exist_is_named(music: Path, tmp_path: Path) -> None:
    file = tmp_path / "none" / "matches.m3u8"
    result = run("the target", file)
    assert result.exit_code == 1
    assert str(result.exception) == (
        f"Cannot write {file}: No such file or directory. Choose another file."
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("the target", "matches.m3u"), "does not end in .m3u8"),
        (("nobody", "matches.m3u8"), "no usable target"),
        (("the target", "matches.m3u8", "--encoder", "no"), "Encoders with matches: "),
    ],
)
def test_wrong_arguments_are_explained(
    music: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert list(tmp_path.glob("*.m3u*")) == []
