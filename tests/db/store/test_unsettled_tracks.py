"""`v_pending` counts all pending work, although it looks only at tracks that may have some."""

import pytest
from sqlalchemy import text

from mirpipe.db.store import unsettled_tracks
from mirpipe.db.store.recompute_and_compare import differences
from mirpipe.operations.prune import prune
from mirpipe.settings import settings
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.query_plans import completely_read
from tests.support.synthetic_library import SyntheticLibrary

EVENTS = {
    "new track": "INSERT INTO mirpipe.track (collection, content_sha256, title, seconds, rms_dbfs, "
    "state) VALUES ('reference', sha256('new'), 'new', 1, -20, 'ok')",
    "returned track": "UPDATE mirpipe.track SET state = 'ok' WHERE title = 'gone'",
    "deleted vector": "DELETE FROM mirpipe.embedding",
    "deleted melody": "DELETE FROM mirpipe.melody",
    "deleted features": "DELETE FROM mirpipe.track_feature",
    "deleted score": "DELETE FROM mirpipe.track_score",
    "deleted failure": "DELETE FROM mirpipe.failure",
    "failure to retry": "UPDATE mirpipe.failure SET retry = true",
    "new encoder": "SELECT mirpipe.register_encoder('other', 'r1', 3, '{}')",
    "encoder configured again": "UPDATE mirpipe.encoder SET wanted = true WHERE name = 'old'",
    "new metric": "INSERT INTO mirpipe.metric (name, revision, spec) "
    'VALUES (\'new\', \'1\', \'{"axis": "new", "name": "new"}\')',
    "metric configured again": "UPDATE mirpipe.metric SET wanted = true WHERE name = 'old'",
}
ALL_PENDING = text("""
    SELECT 'embed' AS stage, name AS plugin, count(*) AS items FROM mirpipe.pending_embedding
    GROUP BY name
    UNION ALL SELECT 'analyse', name, count(*) FROM mirpipe.pending_melody GROUP BY name
    UNION ALL SELECT 'analyse', name, count(*) FROM mirpipe.pending_feature GROUP BY name
    UNION ALL SELECT 'score', plugin, count(DISTINCT track_id) FROM mirpipe.pending_track_score
    GROUP BY plugin
    ORDER BY 1, 2
""")
SHOWN_PENDING = text("""
    SELECT stage, plugin, items FROM mirpipe.v_pending
    WHERE stage IN ('embed', 'analyse', 'score') ORDER BY 1, 2
""")


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """A complete library. No track is in the list of tracks that may have pending work."""
    library = SyntheticLibrary(fresh_database.app)
    for title in ("a", "b"):
        library.add("reference", title, (1, 1, 0))
    gone, failed = library.add("reference", "gone"), library.add("reference", "failed")
    library.set_state(gone, "gone")
    library.execute("UPDATE mirpipe.track_file SET gone_at = now() WHERE path_text = 'gone'")
    for statement in (
        "SELECT mirpipe.register_encoder('old', 'r1', 3, '{}')",
        "UPDATE mirpipe.encoder SET wanted = false WHERE name = 'old'",
        "INSERT INTO mirpipe.metric (name, revision, spec, wanted) VALUES ('melody', '1', '{}', "
        "true), ('features', '1', '{}', true), ('quality', '1', "
        '\'{"axis": "quality", "name": "judge"}\', true), '
        '(\'old\', \'1\', \'{"axis": "old", "name": "older"}\', false)',
        "INSERT INTO mirpipe.melody SELECT metric_id, track_id, 2, '\\x1f', 1, true, NULL "
        "FROM mirpipe.metric, mirpipe.track WHERE name = 'melody' AND state = 'ok'",
        "INSERT INTO mirpipe.track_feature SELECT metric_id, track_id, 120, '{0.5}', 4, 'A minor', "
        "0.5, 1, '\\x01', 2, 2000, '{}' FROM mirpipe.metric, mirpipe.track "
        "WHERE name = 'features' AND state = 'ok'",
        "INSERT INTO mirpipe.track_score SELECT metric_id, track_id, 0.25, NULL "
        "FROM mirpipe.metric, mirpipe.track WHERE name = 'quality' AND state = 'ok'",
    ):
        library.execute(statement)
    library.execute(
        "INSERT INTO mirpipe.failure (stage, subject, revision, track_id, reason, message, retry) "
        "VALUES ('embed', 'f', 'r1', :failed, 'silent', '', false)",
        failed=failed,
    )
    retrieve()
    report(trigger="test")
    assert library.rows("SELECT * FROM mirpipe.unsettled_track") == []
    return library


def pending(library: SyntheticLibrary) -> list[tuple[object, ...]]:
    """Return the counts of v_pending, which must be those of all pending work."""
    with library.app.connect() as connection:
        counts = [tuple(row) for row in connection.execute(SHOWN_PENDING)]
        assert counts == [tuple(row) for row in connection.execute(ALL_PENDING)]
        assert unsettled_tracks.count_missing(connection) == 0
    return counts


@pytest.mark.parametrize("event", EVENTS)
def test_pending_work_is_counted_after_every_kind_of_event(
    library: SyntheticLibrary, event: str
) -> None:
    assert pending(library) == []
    library.execute(EVENTS[event])
    counts = pending(library)
    assert counts
    report(trigger="test")  # Tracks with pending work stay in the list.
    assert pending(library) == counts


def test_an_event_is_not_lost_if_the_list_is_shortened_before_it_is_committed(
    library: SyntheticLibrary,
) -> None:
    library.execute("INSERT INTO mirpipe.unsettled_track SELECT track_id FROM mirpipe.track")
    with library.app.begin() as other:
        other.execute(text(EVENTS["deleted vector"]))
        with library.app.begin() as connection:
            assert unsettled_tracks.delete_complete(connection)
    assert pending(library) == [("embed", "made_up", 2)]


def test_the_list_is_not_shortened_while_a_plugin_is_being_configured(
    library: SyntheticLibrary,
) -> None:
    library.execute("INSERT INTO mirpipe.unsettled_track SELECT track_id FROM mirpipe.track")
    with library.app.begin() as other:
        other.execute(text(EVENTS["encoder configured again"]))
        with library.app.begin() as connection:
            assert not unsettled_tracks.delete_complete(connection)
    assert pending(library) == [("embed", "old", 2)]


def test_verify_finds_a_track_that_is_not_in_the_list_and_prune_adds_it(
    library: SyntheticLibrary,
) -> None:
    library.execute(EVENTS["deleted melody"])
    library.execute("DELETE FROM mirpipe.unsettled_track")
    with library.app.connect() as connection:
        (found,) = differences(connection)
    assert found.check == "pending"
    assert "does not count: 3. Run `mirpipe prune --yes`" in found.message
    prune(settings())
    assert pending(library) == [("analyse", "melody", 3)]
    with library.app.connect() as connection:
        assert list(differences(connection)) == []


def test_pending_work_is_counted_without_reading_all_tracks(
    library: SyntheticLibrary, fresh_database: Database
) -> None:
    library.execute("DELETE FROM mirpipe.track_score")
    library.execute(
        "INSERT INTO mirpipe.track (collection, content_sha256, title, seconds, rms_dbfs, state) "
        "SELECT 'reference', sha256(CAST(CAST(n AS text) AS bytea)), n, 1, -20, 'ok' "
        "FROM generate_series(1, 20000) n"
    )
    library.execute("DELETE FROM mirpipe.unsettled_track WHERE track_id > 10")
    with fresh_database.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
        owner.execute(text("VACUUM ANALYZE"))
        plan = owner.execute(
            text("EXPLAIN (FORMAT JSON) SELECT * FROM mirpipe.v_pending")
        ).scalar_one()
    assert {"encoder"} == completely_read(plan) & {"encoder", "track"}
