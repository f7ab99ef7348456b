"""Ingest: a track is its audio. Other tags or another container give the same track."""

import os
import shutil
import subprocess
from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import ID3, TIT2
from sqlalchemy import text

from mirpipe.db.store.recompute_and_compare import differences
from mirpipe.db.store.tracks import usable_tracks
from mirpipe.library import content_hash
from mirpipe.stages.embed import embed
from mirpipe.stages.ingest import ingest
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.stages.ingest.tables import ingest_references, query, require_counts, states
from tests.support import encoded_audio
from tests.support.databases import Database

needs_ffmpeg = pytest.mark.skipif(not encoded_audio.HAS_FFMPEG, reason="ffmpeg is not installed")


def retag(path: Path, **tags: str) -> None:
    file = mutagen.File(path, easy=True)
    file.update(tags)
    file.save()


def write_flac(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        content = encoded_audio.encode("FLAC", encoded_audio.music(1.0, seed=seed))
        (folder / f"{seed}.flac").write_bytes(content)
    return folder


def kinds(database: Database) -> dict[str, str]:
    return dict(query(database, "SELECT title, content_kind FROM mirpipe.track"))  # type: ignore[arg-type]


def embeddings(database: Database) -> list[tuple[object, ...]]:
    """Return the vectors, and the transactions that wrote them."""
    return query(
        database, "SELECT track_id, batch_id, xmin::text FROM mirpipe.embedding ORDER BY 1"
    )


def run_pipeline() -> None:
    embed(["tiny"], batch_tracks=4)
    retrieve(["tiny"])
    report(trigger="test")


def found_differences(database: Database) -> list[str]:
    with database.app.connect() as connection:
        return [difference.message for difference in differences(connection)]


@pytest.fixture
def evaluated(fresh_database: Database, tmp_path: Path, _tiny_encoder: None) -> Path:
    """Return a folder with 12 references and 2 targets that have been evaluated."""
    folder = tmp_path / "music"
    write_flac(folder / "reference", 12)
    write_flac(folder / "target", 2)
    ingest_all(folder)
    run_pipeline()
    return folder


def ingest_all(folder: Path) -> list[dict[str, int]]:
    """Ingest both collections, and return the counts that are not 0."""
    results = [
        ingest([folder / "reference"], collection="reference"),
        ingest([folder / "target"], collection="target"),
    ]
    return [{name: n for name, n in vars(result).items() if n} for result in results]


def test_retagged_renamed_and_moved_files_keep_their_vectors(
    fresh_database: Database, evaluated: Path
) -> None:
    before = embeddings(fresh_database)
    for seed in range(12):
        path = evaluated / "reference" / f"{seed}.flac"
        retag(path, genre="Polka", title=f"neu {seed}")
    (evaluated / "reference" / "3.flac").rename(evaluated / "reference" / "drei.flac")
    (evaluated / "reference" / "sub").mkdir()
    (evaluated / "reference" / "4.flac").rename(evaluated / "reference" / "sub" / "4.flac")
    shutil.copy(evaluated / "reference" / "5.flac", evaluated / "reference" / "copy.flac")
    counts, _ = ingest_all(evaluated)
    assert counts.get("added", 0) == counts.get("gone", 0) == 0
    assert counts == {
        "seen": 13,
        "retagged": 10,
        "moved": 2,
        "duplicate": 1,
        "relabelled": 12,
    }
    run_pipeline()
    assert embeddings(fresh_database) == before
    assert found_differences(fresh_database) == []
    assert query(fresh_database, "SELECT count(*) FROM mirpipe.track") == [(14,)]


def test_a_single_and_a_compilation_are_one_track(fresh_database: Database, tmp_path: Path) -> None:
    folder = write_flac(tmp_path / "music", 1)
    (folder / "0.flac").rename(folder / "compilation.flac")
    shutil.copy(folder / "compilation.flac", folder / "single.flac")
    retag(folder / "compilation.flac", title="07 Song", album="Hits", genre="Pop")
    retag(folder / "single.flac", title="Song", album="Song (single)", genre="Rock")
    require_counts(ingest_references(folder), seen=2, added=1, duplicate=1)
    shown = "SELECT title, labels ->> 'album', labels ->> 'genre' FROM mirpipe.track"
    assert query(fresh_database, shown) == [("07 Song", "Hits", "Pop; Rock")]
    (folder / "compilation.flac").unlink()
    require_counts(ingest_references(folder), seen=1, unchanged=1, relabelled=1)
    assert query(fresh_database, shown) == [("Song", "Song (single)", "Rock")]
    retag(folder / "single.flac", comment="the title and the labels are the same")
    require_counts(ingest_references(folder), seen=1, retagged=1)


@needs_ffmpeg
def test_new_tags_in_the_padding_of_an_mp3_are_noticed(
    fresh_database: Database, tmp_path: Path
) -> None:
    """Public report: syncthing#2289, navidrome PR 5920."""
    path = tmp_path / "music" / "song.mp3"
    path.parent.mkdir()
    path.write_bytes(encoded_audio.encode("MP3", encoded_audio.music()))
    tags = ID3()
    tags.add(TIT2(text="Before"))
    tags.save(path)
    require_counts(ingest_references(path.parent), seen=1, added=1)
    before = path.stat()
    tags.add(TIT2(text="After the change"))
    tags.save(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    require_counts(ingest_references(path.parent), seen=1, retagged=1, relabelled=1)
    assert states(fresh_database) == {"After the change": "ok"}


@needs_ffmpeg
def test_flac_in_ogg_is_the_same_track(fresh_database: Database, library: Path) -> None:
    ingest_references(library)
    command = ["ffmpeg", "-v", "error", "-i", library / "two.flac", "-c", "copy", "-f", "ogg"]
    subprocess.run([*command, library / "two.oga"], check=True)
    (library / "two.flac").unlink()
    require_counts(ingest_references(library), seen=3, unchanged=2, moved=1)
    assert set(states(fresh_database).values()) == {"ok"}


@needs_ffmpeg
def test_each_file_of_a_track_has_its_own_format(fresh_database: Database, tmp_path: Path) -> None:
    folder = write_flac(tmp_path / "music", 1)
    ingest_references(folder)
    command = ["ffmpeg", "-v", "error", "-i", folder / "0.flac", "-c", "copy", "-f", "ogg"]
    subprocess.run([*command, folder / "1.oga"], check=True)
    shutil.copy(folder / "1.oga", folder / "2.oga")
    require_counts(ingest_references(folder), seen=3, unchanged=1, duplicate=2)
    library = "SELECT path, format, files FROM mirpipe.v_library"
    assert query(fresh_database, library) == [(str(folder / "0.flac"), "FLAC", 3)]
    formats = "SELECT format FROM mirpipe.track_file ORDER BY path"
    assert query(fresh_database, formats) == [("FLAC",), ("OGG",), ("OGG",)]
    (folder / "0.flac").unlink()
    ingest_references(folder)
    assert query(fresh_database, library) == [(str(folder / "1.oga"), "OGG", 2)]


@needs_ffmpeg
def test_without_ffmpeg_a_lossy_file_is_identified_by_its_bytes_until_ffmpeg_is_installed(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("shutil.which", lambda _name: None)
        require_counts(ingest_references(library), seen=3, added=3)
        expected = {"one": "samples", "two": "samples", "three": "file"}
        assert kinds(fresh_database) == expected
        require_counts(ingest_references(library), seen=3, unchanged=3)
    require_counts(ingest_references(library), seen=3, unchanged=3)
    assert kinds(fresh_database) == expected | {"three": "packets"}
    require_counts(ingest_references(library), seen=3, unchanged=3)


def forget_audio(database: Database) -> None:
    """Give all tracks the state that the migration leaves: identified by their file's bytes."""
    with database.app.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.track t SET content_kind = 'file', content_sha256 = f.file_sha256 "
                "FROM mirpipe.track_file f WHERE f.track_id = t.track_id"
            )
        )
        connection.execute(text("UPDATE mirpipe.track_file SET ctime_ns = NULL"))


def test_an_existing_library_is_identified_without_new_vectors(
    fresh_database: Database, evaluated: Path
) -> None:
    identities = query(fresh_database, "SELECT track_id, content_sha256::text FROM mirpipe.track")
    before = embeddings(fresh_database)
    forget_audio(fresh_database)
    assert set(kinds(fresh_database).values()) == {"file"}
    run_pipeline()
    assert ingest_all(evaluated) == [{"seen": 12, "unchanged": 12}, {"seen": 2, "unchanged": 2}]
    assert set(kinds(fresh_database).values()) == {"samples"}
    assert sorted(
        query(fresh_database, "SELECT track_id, content_sha256::text FROM mirpipe.track")
    ) == sorted(identities)
    run_pipeline()
    assert embeddings(fresh_database) == before
    assert found_differences(fresh_database) == []


@pytest.mark.parametrize(
    ("stored_title", "shown"), [("Tag", "New tag"), ("From a manifest", "From a manifest")]
)
def test_titles_of_an_existing_library_that_are_not_in_the_tags_are_kept(
    fresh_database: Database, library: Path, stored_title: str, shown: str
) -> None:
    retag(library / "two.flac", title="Tag", genre="Folk")
    ingest_references(library)
    forget_audio(fresh_database)
    with fresh_database.app.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.track SET title = :title, labels_from = NULL WHERE title = 'Tag'"),
            {"title": stored_title},
        )
        connection.execute(
            text(
                "UPDATE mirpipe.track_file f SET manifest_row = jsonb_build_object("
                "'title', t.title, 'labels', t.labels, 'is_inherited', true) "
                "FROM mirpipe.track t WHERE t.track_id = f.track_id"
            )
        )
    ingest_references(library)
    assert states(fresh_database).keys() == {"one", "three", stored_title}
    retag(library / "two.flac", title="New tag")
    ingest_references(library)
    assert states(fresh_database).keys() == {"one", "three", shown}
    assert (
        query(
            fresh_database, "SELECT * FROM mirpipe.track_file WHERE manifest_row ? 'is_inherited'"
        )
        == []
    )


@pytest.mark.parametrize("older_first", [True, False])
def test_two_tracks_of_an_existing_library_with_the_same_audio_become_the_older_one(
    fresh_database: Database,
    evaluated: Path,
    monkeypatch: pytest.MonkeyPatch,
    older_first: bool,
) -> None:
    copy = evaluated / "reference" / ("z.flac" if older_first else "!.flac")
    shutil.copy(evaluated / "reference" / "7.flac", copy)
    retag(copy, album="compilation")
    with monkeypatch.context() as patch:
        patch.setattr("mirpipe.library.ingested_file.identify", lambda _path, _samples: None)
        forget_audio(fresh_database)
        assert ingest_all(evaluated)[0] == {"seen": 13, "unchanged": 12, "added": 1}
        run_pipeline()
    forget_audio(fresh_database)
    track_ids = query(fresh_database, "SELECT track_id FROM mirpipe.track WHERE state = 'ok'")
    counts = ingest_all(evaluated)[0]
    assert (counts["seen"], counts.get("added", 0), counts["gone"]) == (13, 0, 1)
    gone = query(fresh_database, "SELECT track_id FROM mirpipe.track WHERE state = 'gone'")
    assert gone == [max(track_ids)]
    assert (2,) in query(
        fresh_database, "SELECT count(*) FROM mirpipe.track_file GROUP BY track_id"
    )
    run_pipeline()
    assert found_differences(fresh_database) == []
    assert ingest_all(evaluated)[0] == {"seen": 13, "unchanged": 13}


def test_a_stage_that_finds_other_bytes_makes_the_next_ingest_read_the_file(
    fresh_database: Database, library: Path, read_files: list[str]
) -> None:
    ingest_references(library)
    retag(library / "two.flac", title="neu")
    status = (library / "two.flac").stat()
    with fresh_database.app.begin() as connection:
        # A file system without ctimes: the stored size and times are those of the changed file.
        connection.execute(
            text(
                "UPDATE mirpipe.track_file SET bytes = :size, mtime_ns = :mtime, ctime_ns = :ctime "
                "WHERE path = :path"
            ),
            {
                "size": status.st_size,
                "mtime": status.st_mtime_ns,
                "ctime": status.st_ctime_ns,
                "path": os.fsencode(library / "two.flac"),
            },
        )
        track_ids = connection.execute(text("SELECT track_id FROM mirpipe.track")).scalars().all()
    read_files.clear()
    require_counts(ingest_references(library), seen=3, unchanged=3)
    assert read_files == []
    with fresh_database.app.connect() as connection:
        (track,) = [t for t in usable_tracks(connection, track_ids) if t.path.name == "two.flac"]
    with pytest.raises(content_hash.ContentChanged, match="Run `mirpipe ingest`"):
        content_hash.require_unchanged(track)
    ingest_references(library)
    assert read_files == ["two.flac"]
    with fresh_database.app.connect() as connection:
        (track,) = usable_tracks(connection, [track.track_id])
    content_hash.require_unchanged(track)
    assert track.file_sha256 is not None
