"""`mirpipe prune` deletes what no view shows, and changes no answer that the docs promise."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.synthetic_pipeline import ENCODERS, SyntheticPipeline
from mirpipe.db.snapshot import open_snapshot
from mirpipe.db.store import (
    content_digest,
    recompute_and_compare,
    retention_rules,
    unused_vectors,
)
from mirpipe.operations import prune as operation
from mirpipe.operations.prune import PruneResult, count_unneeded, prune
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import Settings, settings
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.docs.test_sql_cookbook import QUESTIONS
from tests.support.databases import Database, database

HISTORY_VIEWS = (
    *(
        "v_retrieval_summary_history",
        "v_generation_summary_history",
        "v_change",
        "v_ranking_history",
    ),
    *("v_hubness_history", "v_retrieval_group_summary_history", "v_set_distance_history"),
    "v_generation_group_summary_history",
)
NAMED_BY_A_RULE = {
    *(
        "embedding",
        "top_neighbour",
        "melody",
        "track_feature",
        "track_score",
        "pair_score",
        "waveform",
        "track_audio",
        "finding",
        "failure",
    ),
}
"""Tables whose digest may change, because a rule deletes rows that no view shows."""
RUNS = 12


@pytest.fixture(scope="module")
def old_library(embedded: EmbeddedPostgres) -> Iterator[Database]:
    """A database with twelve runs, eleven of which are a year old, and three old revisions."""
    with database(embedded, "old_library") as created:
        pipeline = SyntheticPipeline(references=30, targets=3, runs_per_revision=2)
        for _ in range(RUNS - 1):
            pipeline.run_once()
        execute(
            created,
            "UPDATE run SET finished_at = finished_at - interval '1 year'",
            "UPDATE track SET changed_at = changed_at - interval '1 year' WHERE state = 'gone'",
            "UPDATE track_file SET gone_at = gone_at - interval '1 year'",
            "UPDATE failure SET last_seen = last_seen - interval '1 year'",
            *(
                f"UPDATE {table} SET unwanted_at = unwanted_at - interval '1 year'"
                for table in ("encoder", "metric", "captioner", "generator")
            ),
        )
        pipeline.run_once()
        execute(
            created,
            "UPDATE run SET finished_at = now() WHERE run_id = (SELECT max(run_id) FROM run)",
        )
        yield created


@pytest.fixture
def library(
    old_library: Database, embedded: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    """A copy of the old library."""
    from contextlib import closing

    from mirpipe.db.engine import close_engines, engine
    from mirpipe.db.provision_sql import grants_on_database

    close_engines()
    with closing(embedded.connect()) as connection, connection.cursor() as sql:
        sql.execute("CREATE DATABASE pruned TEMPLATE old_library OWNER mirpipe_owner")
        for grant in grants_on_database("pruned"):
            sql.execute(grant.sql)
    monkeypatch.setenv("MIRPIPE_HOME", str(embedded.folder.parent))
    for variable, role in (
        ("DATABASE", "app"),
        ("OWNER", "owner"),
        ("READER", "reader"),
        ("LISTENER", "listener"),
    ):
        monkeypatch.setenv(f"MIRPIPE_{variable}_URL", embedded.url(role, "pruned"))
    settings.cache_clear()
    yield Database(
        "pruned",
        owner=engine("owner"),
        app=engine("app"),
        reader=engine("reader"),
        listener=engine("listener"),
    )
    close_engines()
    with closing(embedded.connect()) as connection, connection.cursor() as sql:
        sql.execute("DROP DATABASE pruned WITH (FORCE)")


def execute(database: Database, *statements: str) -> None:
    with database.app.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def rows(database: Database, query: str) -> list[str]:
    """Return the rows in an order that does not depend on the query."""
    with database.reader.connect() as connection:
        return sorted(repr(tuple(row)) for row in connection.execute(text(query)))


def count(database: Database, table: str, where: str = "true") -> int:
    with database.reader.connect() as connection:
        query = text(f"SELECT count(*) FROM {table} WHERE {where}")
        return int(connection.execute(query).scalar_one())


def answers(database: Database) -> dict[str, list[str]]:
    """Return the answer to every question in the cookbook, and the content of all histories."""
    query = f"SELECT encoder_id FROM serving_revision WHERE name = '{ENCODERS[0]}'"
    with database.reader.connect() as connection:
        active = connection.execute(text(query)).scalar_one()
    view = f"v_embedding_{active}"
    return histories(database) | {
        question.heading: rows(database, question.query.replace("v_embedding_1", view))
        for question in QUESTIONS
    }


def histories(database: Database) -> dict[str, list[str]]:
    """Return the content of the views with all runs, and the matches of each run."""
    queries = {view: f"TABLE {view}" for view in HISTORY_VIEWS}
    queries |= {
        f"run {run_id}": f"SELECT * FROM top_neighbour_at({run_id})"
        for run_id in range(1, RUNS + 1)
    }
    return {name: rows(database, query) for name, query in queries.items()}


def digests() -> dict[str, str]:
    with open_snapshot("app") as connection:
        return content_digest.digests(connection)


def differences() -> list[recompute_and_compare.Difference]:
    with open_snapshot("app") as connection:
        return list(recompute_and_compare.differences(connection))


def deleted(result: PruneResult) -> dict[str, int]:
    return {change.table: change.unneeded for change in result.tables if change.unneeded}


def test_every_answer_that_the_docs_promise_stays_the_same(library: Database) -> None:
    before, digests_before = answers(library), digests()
    removed = deleted(prune(settings()))
    assert {"embedding", "melody", "track_score", "pair_score", "run_hub"} <= set(removed)
    after = answers(library)
    # The first stored target may be a removed one, whose vector is deleted.
    nearest = "Which tracks are nearest to a vector?"
    assert len(after.pop(nearest)) == len(before.pop(nearest)) > 0
    # The failures of removed tracks are deleted.
    failed = "What failed, and why?"
    assert set(after.pop(failed)) < set(before.pop(failed))
    assert count(library, "failure f JOIN track t USING (track_id)", "t.state = 'gone'") == 0
    assert count(library, "failure") > 0
    assert after == before
    digests_after = digests()
    changed = {name for name in digests_before if digests_before[name] != digests_after[name]}
    assert changed <= NAMED_BY_A_RULE
    assert differences() == []
    assert not report(trigger="after prune").changed


def test_a_dry_run_deletes_nothing_and_announces_what_prune_deletes(library: Database) -> None:
    digests_before = digests()
    announced = count_unneeded(settings())
    assert digests() == digests_before
    assert all(change.before == change.after for change in announced.tables)
    result = prune(settings())
    assert deleted(result) == deleted(announced)
    for change in result.tables:
        assert change.before.rows - change.after.rows == change.unneeded, change.table
    assert deleted(prune(settings())) == {}


def test_results_of_replaced_revisions_are_deleted_and_others_kept(library: Database) -> None:
    replaced = "encoder_id IN (SELECT encoder_id FROM encoder WHERE NOT wanted)"
    kept = count(
        library,
        "embedding",
        f"NOT {replaced} AND track_id NOT IN (SELECT track_id FROM track "
        "WHERE state = 'gone' AND changed_at < now() - interval '90 days')",
    )
    prune(settings())
    assert count(library, "encoder", "NOT wanted") > 0
    for table in ("embedding", "neighbour", "neighbour_state", "background_moment"):
        assert count(library, table, replaced) == 0, table
    assert count(library, "embedding_change") == 0
    assert count(library, "embedding") == kept
    old_metrics = "metric_id IN (SELECT metric_id FROM metric WHERE NOT wanted)"
    assert count(library, "metric", "NOT wanted") > 0
    for table in ("melody", "track_score", "pair_score"):
        assert count(library, table, old_metrics) == 0, table
    assert count(library, "v_pending") == 0


def test_nothing_is_deleted_before_the_retention_time_is_over(library: Database) -> None:
    digests_before = digests()
    assert deleted(prune(settings().model_copy(update={"keep_unused_days": 1000}))) == {}
    assert digests() == digests_before


def test_the_latest_run_keeps_its_details_however_old_it_is(library: Database) -> None:
    execute(library, "UPDATE run SET finished_at = finished_at - interval '2 years'")
    latest = "run_id = (SELECT max(run_id) FROM run)"
    kept = rows(library, f"SELECT * FROM run_hub WHERE {latest}")
    prune(settings().model_copy(update={"keep_history_days": 1}))
    assert rows(library, "TABLE run_hub") == kept != []
    for table in ("run_group_summary", "run_ranking", "run_hubness", "run_target"):
        assert count(library, table) == count(library, table, latest) > 0, table
    assert count(library, "run_summary", f"NOT {latest}") > 0


class Killed(BaseException):
    """Replaces the signal that kills the process between two transactions."""


@pytest.mark.parametrize("transactions", [0, 1, 2, 3, 8, 21, 34])
def test_prune_can_be_killed_after_any_transaction_and_run_again(
    library: Database, monkeypatch: pytest.MonkeyPatch, transactions: int
) -> None:
    before = histories(library)
    expected = deleted(count_unneeded(settings()))
    monkeypatch.setattr(retention_rules, "BLOCK_ROWS", 100)
    count_down = iter(range(transactions))
    repeat = operation._repeat

    def killed_after(delete: Callable[..., int]) -> int:
        def once(connection: object) -> int:
            if next(count_down, None) is None:
                raise Killed
            return delete(connection)

        return repeat(once)

    with monkeypatch.context() as patch:
        patch.setattr(operation, "_repeat", killed_after)
        with pytest.raises(Killed):
            prune(settings())
    assert differences() == []
    assert histories(library) == before
    assert (deleted(count_unneeded(settings())) == expected) == (transactions == 0)
    prune(settings())
    assert histories(library) == before
    assert deleted(count_unneeded(settings())) == {}


def test_a_revision_that_is_configured_again_during_a_prune_is_rebuilt(library: Database) -> None:
    [old] = rows(library, "SELECT min(encoder_id) FROM encoder WHERE name = 'encoder0'")
    encoder_id = int(old.strip("(,)"))
    with library.app.begin() as connection:
        assert unused_vectors.delete_lists(connection, encoder_id, 90)
    execute(
        library,
        f"DELETE FROM embedding WHERE encoder_id = {encoder_id} AND track_id % 2 = 0",
        "UPDATE encoder SET wanted = false WHERE name = 'encoder0'",
        f"UPDATE encoder SET wanted = true WHERE encoder_id = {encoder_id}",
    )
    assert count(library, "encoder", f"encoder_id = {encoder_id} AND unwanted_at IS NULL") == 1
    prune(settings())
    assert count(library, "embedding", f"encoder_id = {encoder_id}") > 0
    retrieve()
    assert [d for d in differences() if d.check != "served"] == []


def test_a_track_that_retrieve_has_not_processed_yet_is_left_to_the_next_prune(
    library: Database,
) -> None:
    query = "SELECT min(track_id) FROM track WHERE collection = 'reference' AND state = 'ok'"
    with library.app.begin() as connection:
        track_id = connection.execute(text(query)).scalar_one()
    execute(
        library,
        "UPDATE track SET state = 'gone', changed_at = now() - interval '1 year' "
        f"WHERE track_id = {track_id}",
        f"UPDATE track_file SET gone_at = now() WHERE track_id = {track_id}",
    )
    prune(settings())
    assert count(library, "embedding", f"track_id = {track_id}") > 0
    retrieve()
    assert [d for d in differences() if d.check != "served"] == []
    prune(settings())
    assert count(library, "embedding", f"track_id = {track_id}") == 0
    assert [d for d in differences() if d.check != "served"] == []


def test_the_track_that_returns_after_a_prune_is_embedded_again(library: Database) -> None:
    removed = "collection = 'reference' AND state = 'gone'"
    [found] = rows(library, f"SELECT min(track_id) FROM track WHERE {removed}")
    track_id = int(found.strip("(,)"))
    prune(settings())
    assert count(library, "embedding", f"track_id = {track_id}") == 0
    execute(library, f"UPDATE track SET state = 'ok' WHERE track_id = {track_id}")
    assert count(library, "pending_embedding", f"track_id = {track_id}") == len(ENCODERS)


def test_clips_are_removed_only_if_a_retention_time_is_set(
    library: Database, tmp_path: Path
) -> None:
    # The last run has made the newest revision active, so the one before was replaced only now.
    execute(
        library, "UPDATE generator SET unwanted_at = now() - interval '1 year' WHERE NOT wanted"
    )
    clips = count(library, "generation")
    old = (
        "generator_id IN (SELECT generator_id FROM generator WHERE NOT wanted) OR caption_id IN "
        "(SELECT caption_id FROM caption JOIN captioner USING (captioner_id) WHERE NOT wanted) "
        "OR target_id IN (SELECT track_id FROM track WHERE state = 'gone')"
    )
    unused = count(library, "generation", old)
    assert unused > 0
    audio = {name: tmp_path / f"{name}.flac" for name in ("removed", "new", "kept")}
    [removed, new] = [
        int(row.strip("(,)"))
        for row in rows(library, f"SELECT track_id FROM generation WHERE {old} LIMIT 2")
    ]
    [kept] = [
        int(row.strip("(,)"))
        for row in rows(library, f"SELECT track_id FROM generation WHERE NOT ({old}) LIMIT 1")
    ]
    for name, track_id in (("removed", removed), ("new", new), ("kept", kept)):
        audio[name].write_bytes(b"audio")
        if name != "new":
            os.utime(audio[name], (0, 0))
        with library.app.begin() as connection:
            statement = text("UPDATE track_file SET path = :path WHERE track_id = :track_id")
            path = str(audio[name]).encode()
            connection.execute(statement, {"path": path, "track_id": track_id})
    assert prune(settings()).audio_files == 0
    assert count(library, "generation") == clips
    result = prune(Settings(keep_clips_days=90))
    assert count(library, "generation") == clips - unused
    assert result.audio_files == 1
    assert {name: path.exists() for name, path in audio.items()} == {
        "removed": False,
        "new": True,
        "kept": True,
    }
    assert count(library, "v_library", f"track_id = {removed} AND state = 'gone'") == 1
    retrieve()
    assert differences() == []


def test_clips_of_listening_tests_are_kept_unless_their_target_was_removed(
    library: Database,
) -> None:
    execute(
        library,
        "UPDATE generator SET unwanted_at = now() - interval '1 year' WHERE NOT wanted",
        "INSERT INTO listening_test (name, kind, run_id, seed, options, sheets, excerpt_seconds, "
        "min_controls, consent) "
        "VALUES ('asked', 'clips', 1, 0, '{}', 1, 1, 0.5, 'Do you agree?')",
        "INSERT INTO listening_question (listening_test_id, sheet, number, criterion, target_id, "
        "first_id, second_id, first_subject, second_subject) "
        "SELECT listening_test_id, 0, row_number() OVER (), 'similarity', g.target_id, "
        "CASE WHEN generation_id % 2 = 0 THEN track_id ELSE target_id END, "
        "CASE WHEN generation_id % 2 = 1 THEN track_id END, 'one', "
        "CASE WHEN generation_id % 2 = 1 THEN 'two' END FROM listening_test, generation g",
    )
    removed = "target_id IN (SELECT track_id FROM track WHERE state = 'gone')"
    clips, of_removed = count(library, "generation"), count(library, "generation", removed)
    chosen = Settings(keep_clips_days=90)
    assert deleted(count_unneeded(chosen)).get("generation", 0) == of_removed
    prune(chosen)
    assert count(library, "generation") == clips - of_removed
    execute(library, "DELETE FROM listening_question")
    prune(chosen)
    assert count(library, "generation") < clips - of_removed
