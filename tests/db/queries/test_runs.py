"""Runs: library size, and best matches that changed."""

from mirpipe.db import queries
from tests.support.databases import Database


def test_a_run_counts_its_tracks_and_its_changed_best_matches(filled: Database) -> None:
    run = queries.latest_run()
    assert run is not None
    assert run.changes == {"first match": 2}
    assert run.library == {"target ok": 1, "reference ok": 2}
    changes = queries.best_match_changes(run.run_id)
    assert {change.cause for change in changes} == {"first match"}
