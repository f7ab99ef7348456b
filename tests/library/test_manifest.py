"""Manifests: which row belongs to which file, and what is wrong with a bad one."""

import csv
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mirpipe.errors import ConfigurationError
from mirpipe.library.manifest import Manifest, read

names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=40
).filter(lambda name: name not in (".", ".."))


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def title(manifest: Manifest, path: str, root: str = "/nowhere") -> str | None:
    row = manifest.find(os.fsencode(path), [os.fsencode(root)])
    return None if row is None else row.title


@given(name=names, form=st.sampled_from(["NFC", "NFD"]), folder=names)
def test_any_name_is_found_composed_or_not(
    tmp_path_factory: pytest.TempPathFactory, name: str, form: str, folder: str
) -> None:
    path = tmp_path_factory.mktemp("manifest").resolve() / "m.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["path", "title"], [f"{folder}/{name}", "found"]])
    manifest = read(path, "reference")
    on_disk = unicodedata.normalize(form, f"{folder}/{name}")  # type: ignore[arg-type]
    assume("\0" not in on_disk)
    assert title(manifest, f"{path.parent}/{on_disk}") == "found"
    assert title(manifest, f"/music/{on_disk}", "/music") == "found"
    assert title(manifest, f"{path.parent}/{on_disk}x") is None


@given(names, names)
def test_a_row_belongs_to_no_other_name(
    tmp_path_factory: pytest.TempPathFactory, one: str, other: str
) -> None:
    assume(unicodedata.normalize("NFC", one) != unicodedata.normalize("NFC", other))
    path = tmp_path_factory.mktemp("manifest") / "m.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["path", "title"], [one, "found"]])
    assert title(read(path, "reference"), f"/music/{other}", "/music") is None


def test_two_files_that_differ_in_composition_keep_their_own_rows(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "é.wav") for form in ("NFC", "NFD"))
    manifest = read(
        written(tmp_path / "m.csv", f"path,title\n{composed},one\n{decomposed},two\n"), "target"
    )
    assert title(manifest, f"/music/{composed}", "/music") == "one"
    assert title(manifest, f"/music/{decomposed}", "/music") == "two"


def test_paths_may_be_absolute_or_begin_with_a_dot(tmp_path: Path) -> None:
    manifest = read(
        written(tmp_path / "m.csv", "path,title\n/elsewhere/a.wav,A\n./x/../b.wav,B\n"), "target"
    )
    assert title(manifest, "/elsewhere/a.wav") == "A"
    assert title(manifest, f"{tmp_path.resolve()}/b.wav") == "B"


def test_the_manifests_folder_wins_over_the_root(tmp_path: Path) -> None:
    manifest = read(
        written(tmp_path / "m.csv", "path,title\nsub/a.wav,deep\na.wav,flat\n"), "target"
    )
    root = f"{tmp_path.resolve()}/sub"
    assert title(manifest, f"{root}/a.wav", root) == "deep"


def test_rows_of_another_collection_are_ignored(tmp_path: Path) -> None:
    path = written(
        tmp_path / "m.csv",
        "path,collection,title\na.wav,target,T\na.wav,reference,R\nb.wav,,both\n",
    )
    assert title(read(path, "target"), "/music/a.wav", "/music") == "T"
    assert title(read(path, "reference"), "/music/a.wav", "/music") == "R"
    assert title(read(path, "reference"), "/music/b.wav", "/music") == "both"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_other_columns_become_labels(tmp_path: Path, encoding: str) -> None:
    text = 'path,title,genre,empty,credit\r\na.wav, Ä ,folk,,"one, two"\r\n\r\n'
    row = read(written(tmp_path / "m.csv", text, encoding), "target").find(b"/r/a.wav", [b"/r"])
    assert row is not None
    assert row.title == "Ä"
    assert row.labels == {"genre": "folk", "credit": "one, two"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column `path`"),
        ("file,title\na.wav,A\n", r"no column `path` \(its columns: file, title\)"),
        ("path;title\na.wav;A\n", "separated by commas"),
        ("path,title,title\na.wav,A,B\n", "a column twice: title"),
        ("path,title\na.wav,A\nb.wav,B\n./a.wav,C\n", "line 4: 'a.wav' stands on line 2"),
        ("path,collection\na.wav,refernce\n", "line 2: collection 'refernce'"),
        ("path,title\na.wav,A,B\n", "line 2: more fields than columns"),
        ("title,path\nA\n", "line 2: the path is empty"),
        ('path,title\na.wav,"A\n', "after line"),
        ("path,title\na.wav,A\0\n", "NUL"),
    ],
)
def test_a_bad_manifest_is_named_with_its_fault(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path / "m.csv", text)
    with pytest.raises(ConfigurationError, match=said) as error:
        read(path, "target")
    assert "m.csv" in str(error.value)


def test_another_encoding_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "m.csv", "path,title\ncafé.wav,Café\n", "latin-1")
    with pytest.raises(ConfigurationError, match="save it as UTF-8"):
        read(path, "target")


def test_a_missing_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read(tmp_path / "m.csv", "target")
