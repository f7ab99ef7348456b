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
    "text",
    [
        "path,title,genre\n\n , ,\na.wav,A,folk\n,,\n\n",
        "path,title,genre,,\na.wav,A,folk,,\n,,,,\n",
        " Path ,TITLE,Genre \na.wav,A,folk\n",
        "path,title,genre\na.wav,A,folk,,\n",
        "\ufeffpath,title,genre\r\na.wav,A,folk\r\n,,\r\n",
        "path,title,,genre,mood\na.wav,A,,folk\n",
    ],
)
def test_blank_rows_empty_columns_and_the_case_of_headings_do_not_matter(
    tmp_path: Path, text: str
) -> None:
    manifest = read_manifest(write(tmp_path / "m.csv", text), "target")
    assert [(row.path, row.title, row.labels) for row in manifest.rows] == [
        ("a.wav", "A", {"genre": "folk"})
    ]


@pytest.mark.parametrize(
    ("cell", "genre"),
    [
        ("Jazz ;Bossa Nova;jazz", "Jazz; Bossa Nova"),
        ('"Folk, World, & Country"', "Folk, World, & Country"),
        ("Hip-Hop/Rap", "Hip-Hop/Rap"),
        ("17", "17"),
    ],
)
def test_genres_are_separated_by_semicolons_and_other_labels_are_not(
    tmp_path: Path, cell: str, genre: str
) -> None:
    text = f"path,genre,artist\na.wav,{cell},AC/DC; Ann ;Ann\n"
    [row] = read_manifest(write(tmp_path / "m.csv", text), "target").rows
    assert row.labels == {"genre": genre, "artist": "AC/DC; Ann ;Ann"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column `path`"),
        ("file,title\na.wav,A\n", r"no column `path` \(its columns: file, title\)"),
        ("path;title\na.wav;A\n", "separated by commas"),
        (
            "path,title, Title\na.wav,A,B\n",
            "line 1: columns 2 and 3 have the same name, title",
        ),
        (
            "path,title\na.wav,A\nb.wav,B\n./a.wav,C\n",
            "line 4: the path 'a.wav' is already on line 2",
        ),
        (
            "path,collection\n\na.wav,refrence_\n",
            r"line 3, column 2 \(collection\): there is no collection 'refrence_'",
        ),
        (
            "path,title\na.wav,A,B\n",
            "line 2, column 3: the column has a text, 'B', but no heading",
        ),
        ("path,,title\na.wav,x,A\n", "line 2, column 2: the column has a text, 'x'"),
        ("title,path\nA\n", r"line 2, column 2 \(path\): the path is empty"),
        ('path,title\na.wav,"A\n', "after line"),
        ("path,title\na.wav,A\0\n", r"line 2, column 2 \(title\): there is a NUL"),
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
    path = write(tmp_path / "m.csv", "path,title\na.wav,Café\n", "latin-1")
    with pytest.raises(ConfigurationError, match=r"line 2, column 2: .* Save the file"):
        read_manifest(path, "target")


def test_a_missing_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_manifest(tmp_path / "m.csv", "target")
