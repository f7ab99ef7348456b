"""Output files that a user has named: a file that cannot be written is an error with a remedy."""

from pathlib import Path

import pytest

from mirpipe.operations.output_file import UnwritableFile, require_writable, write_output


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none/x.html", "No such file or directory"),
        ("file/x.html", "Not a directory"),
        ("folder", "Is a directory"),
        (f"{'x' * 300}.html", "File name too long"),
    ],
)
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    path = tmp_path / name
    for action in (lambda: require_writable(path), lambda: write_output(path, b"data")):
        with pytest.raises(UnwritableFile) as raised:
            action()
        assert str(raised.value) == f"Cannot write {path}: {reason}. Choose another file."
    assert {each.name for each in tmp_path.iterdir()} == {"folder", "file"}


def test_a_check_leaves_an_existing_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(b"before")
    require_writable(path)
    assert [(each, each.read_bytes()) for each in tmp_path.iterdir()] == [(path, b"before")]
    write_output(path, b"after")
    assert [(each, each.read_bytes()) for each in tmp_path.iterdir()] == [(path, b"after")]


def test_a_write_that_fails_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", is_full)
    with pytest.raises(UnwritableFile, match="No space left on device"):
        write_output(tmp_path / "report.html", b"data")
    assert list(tmp_path.iterdir()) == []
