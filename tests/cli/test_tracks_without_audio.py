"""Tracks that come from a file of vectors into a library without their recordings."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa
import pytest
import soundfile
from pyarrow import parquet
from sqlalchemy import text
from typer.testing import CliRunner, Result

from mirpipe import registry
from mirpipe.cli.main import app
from mirpipe.operations import vector_file
from mirpipe.stages import embed as embed_stage
from mirpipe.stages.evaluate import evaluate
from mirpipe.stages.ingest import ingest
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.audio_files import tones
from tests.support.databases import Database, DatabasePool
from tests.support.fake_encoders.tiny import SPEC
from tests.support.fake_plugins import add_fakes
from tests.support.killed_import import killed_import
from tests.support.synthetic_music import melody

MATCHES = """
    SELECT q.title AS target, encode(q.content_sha256, 'hex') AS target_hash, n.rank,
        encode(r.content_sha256, 'hex') AS reference_hash, r.title, n.cosine, n.relation
    FROM mirpipe.served_neighbour n JOIN mirpipe.track q ON q.track_id = n.target_id
    JOIN mirpipe.track r ON r.track_id = n.reference_id
    WHERE n.to_run IS NULL ORDER BY 1, 2, 3
"""
RANKINGS = """
    SELECT to_jsonb(r) - 'run_id' - 'finished_at' FROM mirpipe.v_ranking r
    ORDER BY to_jsonb(r) - 'run_id' - 'finished_at'
"""
TITLES = "SELECT title, labels FROM mirpipe.track ORDER BY 1, 2"
PENDING = "SELECT * FROM mirpipe.v_pending"


@pytest.fixture(autouse=True)
def _tiny_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    add_fakes(monkeypatch, "encoders")


@pytest.fixture
def exported(fresh_database: Database, database_pool: DatabasePool) -> Path:
    """Return a file with the vectors and tracks of a published library."""
    return database_pool.fill(fresh_database, _exported)


def _exported(_database: Database, folder: Path) -> Path:
    tones(folder / "references", [100.0 * n for n in range(1, 8)])
    tones(folder / "targets", [150.0, 300.0, 1000.0])
    for path, level in (("targets/tune.wav", -18.0), ("references/quiet.wav", -30.0)):
        soundfile.write(folder / path, melody(12.0, 8000, dbfs=level), 8000)
    manifest = folder / "manifest.csv"
    lines = ["path,title,genre", "references/100 Hz.wav,Ω التعليم 教育,rock; Folk"]
    lines += ["targets/150 Hz.wav,a target,rock", "references/200 Hz.wav,another,rock"]
    manifest.write_text("\n".join(lines), encoding="utf-8")
    ingest_all(folder)
    embed_stage.plan(["tiny"], batch_tracks=64)
    embed_stage.embed(["tiny"], batch_tracks=64)
    publish()
    file = folder / "tiny.parquet"
    assert run("vectors", "export", "tiny", file).exit_code == 0
    return file


def ingest_all(folder: Path) -> None:
    for collection in get_args(Literal["reference", "target"]):
        ingest(
            [folder / f"{collection}s"],
            collection=collection,
            manifest=folder / "manifest.csv",
            allow_removal=True,
        )


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def publish() -> None:
    retrieve()
    evaluate()
    report(trigger="test")


def rows(database: Database, query: str) -> list[Any]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def empty(database: Database) -> None:
    """Delete everything that the database contains."""
    with database.owner.begin() as owner:
        owner.execute(text("TRUNCATE mirpipe.track, mirpipe.encoder, mirpipe.track_file CASCADE"))
        owner.execute(text("TRUNCATE mirpipe.failure, mirpipe.run CASCADE"))


def states(database: Database) -> set[tuple[str, bool]]:
    return set(rows(database, "SELECT state, has_audio FROM mirpipe.track"))


def add(file: Path, *options: str) -> dict[str, Any]:
    result = run("vectors", "import", file, "--add-tracks", "--json", *options)
    assert result.exit_code == 0, result.output
    imported: dict[str, Any] = json.loads(result.stdout)
    return imported


def digest() -> str:
    return run("verify", "--digest").stdout


def test_an_empty_library_gets_the_same_answers_from_the_file(
    fresh_database: Database, exported: Path
) -> None:
    before = [rows(fresh_database, query) for query in (MATCHES, RANKINGS, TITLES)]
    assert {relation for *_, relation in before[0]} == {None, "same_recording"}
    empty(fresh_database)

    imported = add(exported)
    assert (imported["added_tracks"], imported["imported"], imported["unknown"]) == (12, 12, 0)
    publish()

    assert [rows(fresh_database, query) for query in (MATCHES, RANKINGS, TITLES)] == before
    assert states(fresh_database) == {("ok", False)}
    assert rows(fresh_database, PENDING) == []
    assert run("verify").exit_code == 0
    again = exported.with_name("again.parquet")
    run("vectors", "export", "tiny", again)
    assert again.read_bytes() == exported.read_bytes()


def test_a_configured_encoder_waits_for_the_audio(fresh_database: Database, exported: Path) -> None:
    empty(fresh_database)
    add(exported)
    publish()
    embed_stage.plan(["tiny", "wide"], batch_tracks=64)
    assert rows(fresh_database, PENDING) == []
    publish()  # The list of tracks that may have pending work is empty now.

    ingest_all(exported.parent)
    pending = rows(fresh_database, "SELECT stage, plugin, items FROM mirpipe.v_pending")
    assert ("embed", "wide", 12) in pending
    assert ("embed", "tiny") not in {row[:2] for row in pending}


def test_a_track_becomes_like_any_other_when_its_audio_is_ingested(
    fresh_database: Database, exported: Path
) -> None:
    expected = digest()
    empty(fresh_database)
    add(exported)
    with fresh_database.owner.begin() as owner:  # As a library with wrong values would say.
        owner.execute(text("UPDATE mirpipe.track SET title = 'wrong', seconds = 7, labels = '{}'"))

    ingest_all(exported.parent)
    assert states(fresh_database) == {("ok", True)}
    embed_stage.plan(["tiny"], batch_tracks=64)
    assert embed_stage.embed(["tiny"], batch_tracks=64).embedded == 0
    publish()
    assert digest() == expected
    assert run("verify").exit_code == 0


def test_a_track_that_loses_its_file_is_gone(fresh_database: Database, exported: Path) -> None:
    empty(fresh_database)
    add(exported)
    ingest_all(exported.parent)
    (exported.parent / "references" / "500 Hz.wav").unlink()
    ingest_all(exported.parent)
    assert states(fresh_database) == {("ok", True), ("gone", True)}
    assert add(exported)["added_tracks"] == 1
    assert states(fresh_database) == {("ok", True), ("ok", False)}


def test_tracks_can_be_removed_and_added_again(fresh_database: Database, exported: Path) -> None:
    matches = rows(fresh_database, MATCHES)
    empty(fresh_database)
    add(exported)
    publish()
    result = run("vectors", "remove-tracks")
    assert (result.stdout, result.exit_code) == ("12 tracks removed\n", 0)
    assert states(fresh_database) == {("gone", False)}
    publish()
    assert rows(fresh_database, MATCHES) == []
    assert run("vectors", "remove-tracks").stdout == "0 tracks removed\n"
    assert run("verify").exit_code == 0

    imported = add(exported)
    assert (imported["added_tracks"], imported["present"]) == (12, 12)
    publish()
    assert rows(fresh_database, MATCHES) == matches
    assert run("verify").exit_code == 0


def test_tracks_are_added_only_if_asked(fresh_database: Database, exported: Path) -> None:
    empty(fresh_database)
    result = run("vectors", "import", exported)
    assert "Or add the tracks without their audio: import the file with --add-tracks." in (
        result.stderr
    )
    assert rows(fresh_database, "SELECT title FROM mirpipe.track") == []
    assert rows(fresh_database, "SELECT name FROM mirpipe.encoder") == []


def test_a_file_need_not_describe_the_tracks(fresh_database: Database, exported: Path) -> None:
    file = exported.with_name("plain.parquet")
    assert run("vectors", "export", "tiny", file, "--no-tracks").exit_code == 0
    assert parquet.read_schema(file).names == ["content_sha256", "embedding"]
    empty(fresh_database)
    imported = add(file)
    assert (imported["added_tracks"], imported["unknown"]) == (0, 11)
    added = run("vectors", "import", file, "--add-tracks").stderr
    assert "11 vectors of the file belong to no usable track." in added
    assert "it was exported with --no-tracks." in added
    assert "--add-tracks" not in run("vectors", "import", file).stderr


def test_vectors_of_clips_need_no_remedy(fresh_database: Database, exported: Path) -> None:
    table = parquet.read_table(exported)
    tracks = [[] if place == 0 else row for place, row in enumerate(table["tracks"].to_pylist())]
    column = pa.array(tracks, table.schema.field("tracks").type)
    parquet.write_table(table.set_column(2, table.schema.field("tracks"), column), exported)
    empty(fresh_database)
    result = run("vectors", "import", exported, "--add-tracks")
    assert "1 vector of the file belongs to no usable track. The file describes no" in result.stderr


def test_tracks_of_the_library_stay_as_they_are(fresh_database: Database, exported: Path) -> None:
    before = digest()
    imported = add(exported)
    assert (imported["added_tracks"], imported["present"]) == (0, 12)
    assert digest() == before


def test_a_second_file_adds_the_vectors_of_another_encoder(
    fresh_database: Database, exported: Path
) -> None:
    empty(fresh_database)
    add(exported)
    table = parquet.read_table(exported)
    spec = replace(SPEC, name="elsewhere")
    schema = vector_file.schema(spec, registry.revision(spec), with_tracks=True)
    other = exported.with_name("other.parquet")
    parquet.write_table(table.cast(schema.remove_metadata()).cast(schema), other)
    imported = add(other)
    assert (imported["added_tracks"], imported["imported"]) == (0, 12)


def test_a_copy_that_was_known_by_its_file_joins_the_track_of_its_audio(
    fresh_database: Database, exported: Path
) -> None:
    """Without ffmpeg, or in an earlier version, a track is identified by the bytes of its file."""
    with fresh_database.owner.begin() as owner:
        owner.execute(
            text("""
                UPDATE mirpipe.track t SET content_sha256 = f.file_sha256, content_kind = 'file'
                FROM mirpipe.track_file f WHERE f.track_id = t.track_id
            """)
        )
    assert add(exported)["added_tracks"] == 12
    ingest_all(exported.parent)
    assert states(fresh_database) == {("ok", True), ("gone", False)}
    usable = "SELECT count(*), count(DISTINCT content_kind) FROM mirpipe.track WHERE state = 'ok'"
    assert rows(fresh_database, usable) == [(12, 1)]


def test_commands_that_need_audio_say_how_to_add_it(
    fresh_database: Database, exported: Path
) -> None:
    empty(fresh_database)
    add(exported)
    publish()
    assert "4 (4 without audio)" in run("status").stdout
    counts = json.loads(run("status", "--json").stdout)["library"]
    assert {(row["collection"], row["tracks"], row["without_audio"]) for row in counts} == {
        ("target", 4, 4),
        ("reference", 8, 8),
    }
    for words in (
        ("playlist", "tune", exported.with_name("a.m3u8")),
        ("export", "--mteb", exported.with_name("mteb")),
        ("listening", "create"),
    ):
        assert "run `mirpipe ingest` on" in str(run(*words).exception)
    missing = "have no audio. To add it, run `mirpipe ingest` on their recordings.\n"
    assert run("quality").stderr == f"4 targets and 8 references {missing}"
    for words in (("caption",), ("generate", "--dry-run"), ("generate",)):
        assert f"4 targets {missing}" in run(*words).stderr


def test_a_killed_import_adds_nothing_and_can_be_repeated(
    fresh_database: Database, exported: Path
) -> None:
    empty(fresh_database)
    killed_import(exported, add_tracks=True)
    assert rows(fresh_database, "SELECT title FROM mirpipe.track") == []
    assert add(exported)["added_tracks"] == 12


TRACK = {
    "collection": "target",
    "title": "a title",
    "labels": {"genre": "folk"},
    "content_kind": "samples",
    "seconds": 3.0,
    "rms_dbfs": -20.0,
    "fingerprint_revision": None,
    "fingerprint_frames": None,
    "fingerprint_reason": None,
}


def write_tracks(file: Path, tracks: list[dict[str, Any]]) -> Path:
    schema = vector_file.schema(SPEC, registry.revision(SPEC), with_tracks=True)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([1, 0, 0], pa.float32()), 3)
    columns = [pa.array([bytes(32)], pa.binary(32)), vectors]
    columns.append(pa.array([tracks], schema.field("tracks").type))
    parquet.write_table(pa.Table.from_arrays(columns, schema=schema), file)
    return file


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {"collection": "generated"},
            "track 1, collection: Input should be 'reference' or 'target'",
        ),
        ({"title": None}, "track 1, title: Input should be a valid string"),
        ({"title": "a\0b"}, "track 1, title: it contains a NUL character"),
        ({"title": "a" * 10_001}, "track 1, title: String should have at most 10000 characters"),
        ({"labels": {"mood": "a\0b"}}, "NUL character"),
        ({"labels": None}, "track 1, labels: Input should be a valid dictionary"),
        ({"labels": {"mood": None}}, "track 1, labels.mood: Input should be a valid string"),
        ({"seconds": 1e300}, "track 1, seconds: Input should be less than or equal to 1000000"),
        ({"rms_dbfs": 999.0}, "track 1, rms_dbfs: Input should be less than or equal to 200"),
        ({"seconds": float("nan")}, "track 1, seconds: Input should be a finite number"),
        ({"seconds": 0.0}, "track 1, seconds: Input should be greater than 0"),
        ({"rms_dbfs": None}, "track 1, rms_dbfs: Input should be a valid number"),
        ({"content_kind": "wish"}, "track 1, content_kind: Input should be"),
        ({"fingerprint_frames": b"1234"}, "a fingerprint needs a revision"),
        ({"fingerprint_revision": "1"}, "a fingerprint needs a revision"),
        (
            {"fingerprint_revision": "1", "fingerprint_frames": b"12345"},
            "it does not consist of 32-bit values",
        ),
    ],
)
def test_an_invalid_track_is_named_with_its_row(
    fresh_database: Database, tmp_path: Path, values: dict[str, Any], problem: str
) -> None:
    file = write_tracks(tmp_path / "tiny.parquet", [TRACK | values])
    result = run("vectors", "import", file, "--add-tracks")
    assert result.exit_code == 3
    assert "Row 1 is not valid: track 1, " in result.stderr
    assert problem in result.stderr
    assert rows(fresh_database, "SELECT title FROM mirpipe.track") == []


def test_a_row_has_one_track_per_collection(fresh_database: Database, tmp_path: Path) -> None:
    file = write_tracks(tmp_path / "tiny.parquet", [TRACK, TRACK])
    result = run("vectors", "import", file, "--add-tracks")
    assert (result.exit_code, "in the same collection" in result.stderr) == (3, True)
    file = write_tracks(tmp_path / "tiny.parquet", [TRACK, TRACK | {"collection": "reference"}])
    assert add(file)["added_tracks"] == 2


def test_a_corrected_file_replaces_a_description_once_it_is_removed(
    fresh_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "tiny.parquet"
    tune = {"fingerprint_revision": "1", "fingerprint_frames": bytes(400)}
    add(write_tracks(file, [TRACK | {"title": "wrong", "labels": {"work": "none"}} | tune]))
    write_tracks(file, [TRACK | {"seconds": 4.0} | tune | {"fingerprint_frames": bytes(404)}])
    assert add(file)["added_tracks"] == 0
    run("vectors", "remove-tracks")
    assert add(file)["added_tracks"] == 1
    stored = "SELECT title, labels, seconds, length(frames) FROM mirpipe.track JOIN "
    stored += "mirpipe.fingerprint USING (track_id)"
    assert rows(fresh_database, stored) == [("a title", {"genre": "folk"}, 4.0, 404)]


def test_a_track_whose_audio_was_known_keeps_its_own_labels(
    fresh_database: Database, exported: Path
) -> None:
    (exported.parent / "targets" / "150 Hz.wav").unlink()
    (exported.parent / "manifest.csv").write_text("path,title\ntargets/1000 Hz.wav,mine\n")
    (exported.parent / "targets" / "1000 Hz.wav").rename(exported.parent / "targets" / "x.wav")
    ingest_all(exported.parent)
    title = "SELECT title FROM mirpipe.track WHERE state = 'gone'"
    ((own,),) = rows(fresh_database, title)
    with fresh_database.owner.begin() as owner:
        owner.execute(text("UPDATE mirpipe.track SET title = 'my own' WHERE state = 'gone'"))
    assert add(exported)["added_tracks"] == 1
    added = "SELECT title, labels_from FROM mirpipe.track WHERE NOT has_audio"
    assert rows(fresh_database, added) == [("my own", "manifest")]
    assert own == "a target"


def test_a_file_may_contain_a_track_twice(fresh_database: Database, tmp_path: Path) -> None:
    file = write_tracks(tmp_path / "tiny.parquet", [TRACK])
    table = parquet.read_table(file)
    parquet.write_table(pa.concat_tables([table, table]), file)
    imported = add(file)
    assert (imported["added_tracks"], imported["rows"]) == (1, 2)


def test_genres_are_stored_in_the_form_of_the_library(
    fresh_database: Database, tmp_path: Path
) -> None:
    add(
        write_tracks(tmp_path / "tiny.parquet", [TRACK | {"labels": {"genre": "Rock;rock ; Folk"}}])
    )
    assert rows(fresh_database, "SELECT genres FROM mirpipe.track") == [(["Rock", "Folk"],)]
