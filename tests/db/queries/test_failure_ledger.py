"""The failure ledger: filters, and the plug-in that caused each failure."""

from sqlalchemy import text

from mirpipe.db import queries
from tests.dashboard.example_library import fail
from tests.support.databases import Database


def test_failures_are_searched_for_a_text_and_not_for_a_pattern(fresh_database: Database) -> None:
    row = {"stage": "ingest", "reason": "silent", "retry": False}
    with fresh_database.app.begin() as connection:
        fail(connection, subject="/100%.wav", message="/100%.wav is silent", **row)
        fail(connection, subject="/1000.wav", message="/1000.wav is silent", **row)
    assert [failure.subject for failure in queries.failures(search="100%.WAV")] == ["/100%.wav"]
    assert len(queries.failures(stages=["ingest"], reasons=["silent"])) == 2
    assert queries.failures(stages=["embed"]) == []
    (count,) = queries.failure_counts()
    assert (count.items, count.retry) == (2, False)


def test_a_failure_names_its_plug_in(filled: Database) -> None:
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
    (failure,) = queries.failures(search="ZZZ")
    assert failure.stage == "embed"
