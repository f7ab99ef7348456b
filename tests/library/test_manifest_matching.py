"""Matching manifest rows to files."""

import csv
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mirpipe.library.manifest import read_manifest
from mirpipe.library.manifest_matching import Manifest

names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=40
).filter(lambda name: name not in (".", ".."))


def title(manifest: Manifest, path: str, root: str = "/nowhere") -> str | None:
    """Return the title in the file's manifest row, or None if the file has no row."""
    row = manifest.find_row(os.fsencode(path), [os.fsencode(root)])
    return None if row is None else row.title


@given(name=names, form=st.sampled_from(["NFC", "NFD"]), folder=names)
def test_a_file_is_found_under_any_name_in_both_unicode_forms(
    tmp_path_factory: pytest.TempPathFactory, name: str, form: str, folder: str
) -> None:
    path = tmp_path_factory.mktemp("manifest").resolve() / "m.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["path", "title"], [f"{folder}/{name}", "found"]])
    manifest = read_manifest(path, "reference")
    on_disk = unicodedata.normalize(form, f"{folder}/{name}")  # type: ignore[arg-type]
    assume("\0" not in on_disk)
    assert title(manifest, f"{path.parent}/{on_disk}") == "found"
    assert title(manifest, f"/music/{on_disk}", "/music") == "found"
    assert title(manifest, f"{path.parent}/{on_disk}x") is None


@given(names, names)
def test_a_row_does_not_match_another_name(
    tmp_path_factory: pytest.TempPathFactory, name: str, other_name: str
) -> None:
    assume(unicodedata.normalize("NFC", name) != unicodedata.normalize("NFC", other_name))
    path = tmp_path_factory.mktemp("manifest") / "m.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["path", "title"], [name, "found"]])
    assert title(read_manifest(path, "reference"), f"/music/{other_name}", "/music") is None


def test_two_files_in_different_unicode_forms_have_their_own_rows(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "é.wav") for form in ("NFC", "NFD"))
    (tmp_path / "m.csv").write_text(f"path,title\n{composed},one\n{decomposed},two\n", "utf-8")
    manifest = read_manifest(tmp_path / "m.csv", "target")
    assert title(manifest, f"/music/{composed}", "/music") == "one"
    assert title(manifest, f"/music/{decomposed}", "/music") == "two"


def test_paths_may_be_absolute_or_start_with_a_dot(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path,title\n/elsewhere/a.wav,A\n./x/../b.wav,B\n")
    manifest = read_manifest(tmp_path / "m.csv", "target")
    assert title(manifest, "/elsewhere/a.wav") == "A"
    assert title(manifest, f"{tmp_path.resolve()}/b.wav") == "B"


def test_the_manifests_folder_takes_precedence_over_the_root(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path,title\nsub/a.wav,deep\na.wav,flat\n")
    root = f"{tmp_path.resolve()}/sub"
    assert title(read_manifest(tmp_path / "m.csv", "target"), f"{root}/a.wav", root) == "deep"


def test_rows_of_another_collection_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("path,collection,title\na.wav,target,T\na.wav,reference,R\nb.wav,,both\n")
    assert title(read_manifest(path, "target"), "/music/a.wav", "/music") == "T"
    assert title(read_manifest(path, "reference"), "/music/a.wav", "/music") == "R"
    assert title(read_manifest(path, "reference"), "/music/b.wav", "/music") == "both"
