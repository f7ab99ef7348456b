"""Reading manifests: labels, encodings, and the errors for an invalid manifest."""

from pathlib import Path

import pytest

from mirpipe.errors import ConfigurationError
from mirpipe.library.manifest import read_manifest


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_other_columns_become_labels(tmp_path: Path, encoding: str) -> None:
    text = 'path,title,genre,empty,credit\r\na.wav, Ä ,folk,,"one, two"\r\n\r\n'
    manifest = read_manifest(write(tmp_path / "m.csv", text, encoding), "target")
    row = manifest.find_row(b"/r/a.wav", [b"/r"])
    assert row is not None
    assert row.title == "Ä"
    assert row.labels == {"genre": "folk", "credit": "one, two"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column `path`"),
        ("file,title\na.wav,A\n", r"no column `path` \(its columns: file, title\)"),
        ("path;title\na.wav;A\n", "separated by commas"),
        ("path,title,title\na.wav,A,B\n", "two columns with the same name: title"),
        (
            "path,title\na.wav,A\nb.wav,B\n./a.wav,C\n",
            "line 4: the path 'a.wav' is already on line 2",
        ),
        ("path,collection\na.wav,refrence_\n", "line 2: there is no collection 'refrence_'"),
        ("path,title\na.wav,A,B\n", "line 2: there are more fields than columns"),
        ("title,path\nA\n", "line 2: the path is empty"),
        ('path,title\na.wav,"A\n', "after line"),
        ("path,title\na.wav,A\0\n", "NUL"),
    ],
)
def test_the_error_of_a_wrong_manifest_names_file_and_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = write(tmp_path / "m.csv", text)
    with pytest.raises(ConfigurationError, match=message) as error:
        read_manifest(path, "target")
    assert "m.csv" in str(error.value)


def test_a_manifest_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "m.csv", "path,title\ncafé.wav,Café\n", "latin-1")
    with pytest.raises(ConfigurationError, match="Save it as UTF-8"):
        read_manifest(path, "target")


def test_a_missing_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_manifest(tmp_path / "m.csv", "target")
