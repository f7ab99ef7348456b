"""Ingest: titles and labels from manifests and from audio files."""

import unicodedata
from pathlib import Path

import pytest

from mirpipe.records import Collection
from mirpipe.stages.ingest import ingest
from tests.stages.ingest.tables import ingest_references, query, require_counts
from tests.support import encoded_audio
from tests.support.databases import Database


def write_manifest(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def labels(database: Database) -> dict[str, object]:
    """Return the labels of each track, by title."""
    return dict(query(database, "SELECT title, labels FROM mirpipe.track"))  # type: ignore[arg-type]


def test_the_manifest_gives_title_and_labels(fresh_database: Database, library: Path) -> None:
    manifest = write_manifest(
        library / "manifest.csv",
        "path,title,collection,genre,work",
        "one.wav,Die Eins,reference,folk,",
        "below/three.ogg,Drei,target,jazz,w3",
    )
    require_counts(ingest_references(library, manifest=manifest), seen=3, added=3)
    assert labels(fresh_database) == {"Die Eins": {"genre": "folk"}, "two": {}, "three": {}}


def test_a_changed_manifest_relabels_without_reading_audio(
    fresh_database: Database, library: Path, read_files: list[str]
) -> None:
    ingest_references(library)
    read_files.clear()
    manifest = write_manifest(
        library.parent / "m.csv", "path,title,genre", "library/one.wav,Eins,folk", "nowhere.wav,x,y"
    )
    require_counts(
        ingest_references(library, manifest=manifest),
        seen=3,
        unchanged=3,
        relabelled=1,
        unmatched=1,
    )
    assert labels(fresh_database)["Eins"] == {"genre": "folk"}
    assert read_files == []
    require_counts(ingest_references(library, manifest=manifest), seen=3, unchanged=3, unmatched=1)
    require_counts(ingest_references(library), seen=3, unchanged=3)
    assert "Eins" in labels(fresh_database)


def test_a_row_matches_a_file_name_in_the_other_unicode_form(
    fresh_database: Database, tmp_path: Path
) -> None:
    name = "Café 한글.wav"
    folder = tmp_path / "library"
    folder.mkdir()
    on_disk = unicodedata.normalize("NFD", name)
    assert on_disk != unicodedata.normalize("NFC", name)
    (folder / on_disk).write_bytes(encoded_audio.encode("WAV"))
    manifest = write_manifest(
        folder / "m.csv", "path,title", f"{unicodedata.normalize('NFC', name)},Café"
    )
    ingest_references(folder, manifest=manifest)
    assert labels(fresh_database) == {"Café": {}}


@pytest.mark.parametrize(
    "collection", [pytest.param("reference", marks=pytest.mark.slow), "target"]
)
def test_every_demo_track_is_usable_and_has_a_genre(
    fresh_database: Database, collection: Collection
) -> None:
    demo = Path(__file__).parents[3] / "demo"
    result = ingest([demo / collection], collection=collection, manifest=demo / "manifest.csv")
    count = len(list((demo / collection).iterdir()))
    require_counts(result, seen=count, added=count)
    rows = query(fresh_database, "SELECT count(*) FROM mirpipe.v_library WHERE genre IS NOT NULL")
    assert rows == [(count,)]
