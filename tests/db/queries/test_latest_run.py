"""What reports add to the views: order, filters, paths of any bytes, readable errors."""

import os
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.db import queries
from mirpipe.errors import DatabaseError
from mirpipe.settings import settings
from tests.dashboard.filled import Model, Piece, fail, fill
from tests.support.databases import Database

PIECES = (
    Piece("target", "t"),
    Piece("reference", "near", Path(os.fsdecode(b"/music/caf\xe9.wav")), format="WAV"),
    Piece("reference", "far"),
)
MODELS = (Model("aaa", 0.5, 0.1), Model("zzz", 0.5, 0.1))


@pytest.fixture
def filled(fresh_database: Database) -> Database:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    return fresh_database


def test_encoders_come_in_the_order_of_the_settings(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "zzz,aaa")
    settings.cache_clear()
    assert [row.encoder for row in queries.encoders()] == ["zzz", "aaa"]
    assert [row.encoder for row in queries.best_matches()] == ["zzz", "aaa"]
    assert [row.encoder for row in queries.summary()][::5] == ["zzz", "aaa"]


def test_answers_come_by_rank_down_to_k(filled: Database) -> None:
    (target,) = queries.targets()
    assert target.answered
    assert [row.rank for row in queries.matches(target.track_id)] == [1, 2, 1, 2]
    (answer, _) = queries.matches(target.track_id, k=1)
    assert answer.melodic
    assert isinstance(answer.percentile, float)


def test_a_path_of_any_bytes_comes_back_as_it_was(filled: Database) -> None:
    with filled.reader.connect() as connection:
        track_id = connection.execute(
            text("SELECT track_id FROM mirpipe.track WHERE title = 'near'")
        ).scalar_one()
    (file,) = queries.live_files([track_id, 10**9])[track_id]
    assert os.fsencode(file.path) == b"/music/caf\xe9.wav"
    assert file.format == "WAV"


def test_a_file_that_is_gone_is_no_place_of_its_track(filled: Database) -> None:
    with filled.app.begin() as connection:
        connection.execute(text("UPDATE mirpipe.track_file SET gone_at = now()"))
    assert queries.live_files([1, 2, 3]) == {}


def test_failures_are_searched_for_text_not_for_patterns(fresh_database: Database) -> None:
    row = {"stage": "ingest", "reason": "silent", "retry": False}
    with fresh_database.app.begin() as connection:
        fail(connection, subject="/100%.wav", message="/100%.wav is silent", **row)
        fail(connection, subject="/1000.wav", message="/1000.wav is silent", **row)
    assert [failure.subject for failure in queries.failures(search="100%.WAV")] == ["/100%.wav"]
    assert len(queries.failures(stages=["ingest"], reasons=["silent"])) == 2
    assert queries.failures(stages=["embed"]) == []
    (count,) = queries.failure_counts()
    assert (count.items, count.retry) == (2, False)


def test_a_failure_names_the_plug_in_that_it_happened_to(filled: Database) -> None:
    with filled.app.begin() as connection:
        for table in ("encoder", "metric"):
            connection.execute(text(f"UPDATE mirpipe.{table} SET revision = 'of ' || name"))
        row = {"reason": "OSError", "message": "no", "retry": True}
        fail(connection, stage="embed", subject="target:00", revision="of zzz", **row)
        fail(connection, stage="melody", subject="target:00", revision="of melody", **row)
        fail(connection, stage="caption", subject="captioner:teller", **row)
        fail(connection, stage="ingest", subject="/music/encoder:no.wav", **row)
    assert {failure.stage: failure.plugin for failure in queries.failures()} == {
        "embed": "zzz",
        "melody": "melody",
        "caption": "teller",
        "ingest": "",
    }
    (found,) = queries.failures(search="ZZZ")
    assert found.stage == "embed"


def test_a_run_says_what_it_changed(filled: Database) -> None:
    run = queries.latest_run()
    assert run is not None
    assert run.changes == {"first answer": 2}
    assert run.library == {"target ok": 1, "reference ok": 2}
    assert {change.cause for change in queries.changes(run.run_id)} == {"first answer"}


def test_a_database_without_tables_names_the_remedy(fresh_database: Database) -> None:
    with fresh_database.owner.begin() as connection:
        connection.execute(text("DROP SCHEMA mirpipe CASCADE"))
    with pytest.raises(DatabaseError, match=r"does not exist\).*`mirpipe db migrate`"):
        queries.library()
