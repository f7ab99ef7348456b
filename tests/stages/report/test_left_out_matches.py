"""Matches that are the same recording as their target are shown, marked, and not averaged."""

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe import settings
from mirpipe.db import queries
from mirpipe.db.queries import vector_search
from mirpipe.db.snapshot import open_snapshot
from mirpipe.db.store.recompute_and_compare import differences
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary, sha256, unit

REFERENCES = {"copy": [1, 0, 0], "second copy": [1, 0.1, 0], "north": [0.6, 1, 0]}
TARGETS = {"original": [1, 0.01, 0], "other": [0, 1, 0.1]}


@pytest.fixture
def ids(fresh_database: Database) -> dict[str, int]:
    """Return the ids of three references and two targets. Two references copy `original`."""
    library = SyntheticLibrary(fresh_database.app)
    ids = {
        name: library.add("reference", name, vector, labels={"genre": "folk"})
        for name, vector in REFERENCES.items()
    }
    ids |= {
        name: library.add("target", name, vector, labels={"genre": "folk"})
        for name, vector in TARGETS.items()
    }
    retrieve()
    report(trigger="before")
    library.add_same_recording(ids["original"], ids["copy"])
    library.add_same_recording(ids["second copy"], ids["original"])
    return ids


def rows(database: Database, sql: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def cosine(target: str, reference: str) -> float:
    return float(unit(TARGETS[target]).astype(float) @ unit(REFERENCES[reference]).astype(float))


def mean_cosine(database: Database) -> list[tuple[object, ...]]:
    return rows(
        database,
        "SELECT n, undefined_n, same_recording_n, mean FROM mirpipe.v_retrieval_summary "
        "WHERE metric = 'cosine' AND source = 'library'",
    )


def test_the_next_match_counts_in_the_summaries(
    fresh_database: Database, ids: dict[str, int]
) -> None:
    report(trigger="test")
    mean = (cosine("original", "north") + cosine("other", "north")) / 2
    assert mean_cosine(fresh_database) == [(2, 0, 2, pytest.approx(mean))]
    groups = "SELECT n, same_recording_n, mean FROM mirpipe.v_retrieval_group_summary "
    assert rows(fresh_database, groups + "WHERE label = 'genre' AND metric = 'cosine'") == [
        (2, 2, pytest.approx(mean))
    ]


def test_all_averages_of_matches_agree(fresh_database: Database, ids: dict[str, int]) -> None:
    report(trigger="test")
    [(_, _, _, mean)] = mean_cosine(fresh_database)
    [row] = [row for row in queries.similarity_by_rank() if row.rank == 1]
    assert (row.n, row.cosine) == (2, pytest.approx(mean))
    counted = [row.cosine for row in queries.best_match_scores() if row.counts]
    assert np.mean(counted) == pytest.approx(mean)
    in_views = rows(
        fresh_database,
        "SELECT avg(cosine) FROM mirpipe.v_retrieval WHERE counted_rank = 1 UNION ALL "
        "SELECT avg(cosine) FROM mirpipe.top_neighbour_at(2) WHERE counted_rank = 1",
    )
    assert in_views == [(pytest.approx(mean),)] * 2


def test_left_out_matches_are_listed_and_marked(
    fresh_database: Database, ids: dict[str, int]
) -> None:
    report(trigger="test")
    expected = [
        ("original", 1, None, "copy", "same_recording"),
        ("original", 2, None, "second copy", "same_recording"),
        ("original", 3, 1, "north", None),
        ("other", 1, 1, "north", None),
    ]
    found = [
        (row.target, row.rank, row.counted_rank, row.reference, row.relation)
        for row in queries.best_matches()
    ]
    assert found == expected
    assert [
        (row.target, row.counts, row.reference, row.relation) for row in queries.best_match_scores()
    ] == [(target, rank is not None, *rest) for target, _, rank, *rest in expected]
    assert queries.same_recordings() == queries.SameRecordings(2, 1, counts=False, not_compared_n=0)
    marked = {row.reference: row.relation for row in queries.reranked_matches(ids["original"])}
    assert marked == {"copy": "same_recording", "second copy": "same_recording", "north": None}


def test_search_marks_the_same_recording_as_the_track(
    fresh_database: Database, ids: dict[str, int]
) -> None:
    [revision] = vector_search.searchable_revisions()
    found = vector_search.nearest_references(
        revision, unit(TARGETS["original"]), k=3, excluded_sha256=sha256("original")
    )
    assert [(row.title, row.relation) for row in found] == [
        ("copy", "same_recording"),
        ("second copy", "same_recording"),
        ("north", None),
    ]
    words = vector_search.nearest_references(
        revision, unit(TARGETS["original"]), k=3, excluded_sha256=b""
    )
    assert [row.relation for row in words] == [None] * 3


def test_a_target_without_a_match_that_counts_has_no_value(
    fresh_database: Database, ids: dict[str, int]
) -> None:
    library = SyntheticLibrary(fresh_database.app)
    library.add_same_recording(ids["original"], ids["north"])
    report(trigger="test")
    mean = cosine("other", "north")
    assert mean_cosine(fresh_database) == [(1, 1, 3, pytest.approx(mean))]
    assert [row.target for row in queries.best_match_scores() if row.counts] == ["other"]
    assert len(queries.best_match_scores()) == 4


def test_runs_keep_their_rule_and_their_numbers(
    fresh_database: Database, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    report(trigger="left out")
    monkeypatch.setenv("MIRPIPE_SAME_RECORDING_COUNTS", "1")
    settings.settings.cache_clear()
    report(trigger="counted")
    assert not report(trigger="counted").changed
    assert queries.same_recordings() == queries.SameRecordings(2, 1, counts=True, not_compared_n=0)
    means = [
        (cosine("original", name) + cosine("other", "north")) / 2
        for name in ("copy", "north", "copy")
    ]
    assert rows(
        fresh_database,
        "SELECT h.same_recording_n, r.same_recording_counts, h.mean "
        "FROM mirpipe.v_retrieval_summary_history h JOIN mirpipe.run r USING (run_id) "
        "WHERE h.metric = 'cosine' ORDER BY run_id",
    ) == [
        (0, False, pytest.approx(means[0])),
        (2, False, pytest.approx(means[1])),
        (0, True, pytest.approx(means[2])),
    ]
    marked = "SELECT reference, counted_rank FROM mirpipe.top_neighbour_at({}) WHERE target_id = "
    for run_id, expected in (
        (1, [("copy", 1), ("second copy", 2), ("north", 3)]),
        (2, [("copy", None), ("second copy", None), ("north", 1)]),
        (3, [("copy", 1), ("second copy", 2), ("north", 3)]),
    ):
        assert rows(fresh_database, marked.format(run_id) + str(ids["original"])) == expected


def test_verify_finds_marks_that_are_not_published_yet(
    fresh_database: Database, ids: dict[str, int]
) -> None:
    def checks() -> set[str]:
        with open_snapshot("app") as connection:
            return {difference.check for difference in differences(connection)}

    # The pairs of this library have no fingerprints, which verify also reports.
    assert checks() == {"served", "same recordings"}
    report(trigger="test")
    assert checks() == {"same recordings"}
