"""Runs from before revision 0030 counted all matches, and keep their ranks."""

from mirpipe.db.migrate import downgrade, migrate
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.migrations.queries import execute, rows
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


def test_all_matches_of_earlier_runs_count(fresh_database: Database) -> None:
    library = SyntheticLibrary(fresh_database.app)
    tags = {"genre": "folk", "album": "One", "artist": "Ann"}
    for name, vector in (("copy", [1, 0, 0]), ("north", [0.5, 1, 0]), ("up", [0, 1, 1])):
        reference = library.add("reference", name, vector, labels=tags)
        if name == "copy":
            copy = reference
    target = library.add("target", "original", [1, 0.1, 0], labels=tags)
    library.add_same_recording(copy, target)
    retrieve()
    report(trigger="test")
    ranks = "SELECT rank, counted_rank, relation FROM mirpipe.served_neighbour ORDER BY rank"
    assert rows(fresh_database, ranks) == [
        (1, None, "same_recording"),
        (2, 1, None),
        (3, 2, None),
    ]
    downgrade("0029")
    migrate()
    assert rows(fresh_database, ranks) == [(1, 1, None), (2, 2, None), (3, 3, None)]
    assert rows(fresh_database, "SELECT same_recording_counts FROM mirpipe.run") == [(True,)]
    assert rows(fresh_database, "SELECT DISTINCT filter FROM mirpipe.run_ranking") == [("none",)]
    # The digest of an earlier version differs, so the next report publishes a new run.
    execute(fresh_database, "UPDATE mirpipe.run SET state_digest = 'earlier'")
    assert report(trigger="again").changed
    current = ranks.replace("ORDER", "WHERE to_run IS NULL ORDER")
    assert rows(fresh_database, current)[0] == (1, None, "same_recording")
