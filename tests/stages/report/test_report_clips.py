"""Results about clips: intervals over targets, mode comparisons, and aesthetics by mode."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.db import queries
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from mirpipe.statistics.paired_sign_flip_test import compare
from tests.dashboard import example_clips, example_library
from tests.dashboard.example_library import Model, Piece
from tests.support.databases import Database

TARGETS = 5


@pytest.fixture
def library(fresh_database: Database, tmp_path: Path) -> Database:
    """Five targets, four of them with a genre. Each target has two clips in each of three modes."""
    pieces = [
        Piece("target", f"t{n}", Path(f"/t{n}"), labels={"genre": "folk"} if n else {})
        for n in range(TARGETS)
    ]
    pieces += [Piece("reference", f"r{n}", Path(f"/r{n}")) for n in range(4)]
    sound = tmp_path / "a.flac"
    sound.touch()
    with fresh_database.owner.begin() as connection:
        example_library.fill(connection, pieces, [Model("real", 0.5, 0.1)])
        example_clips.describe(connection)
        example_clips.make(connection, [example_clips.Maker("model", seeds=2)], tmp_path, sound)
        example_library.rate(connection, "t1 · model strong 5.0 1", 6.0, 7.0, 3.0, 8.0)
    return fresh_database


def query(database: Database, sql: str) -> list[tuple]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def target_means(database: Database, mode: str) -> np.ndarray:
    """Return, for each target, the mean cosine similarity of its clips in one mode."""
    rows = query(
        database,
        "SELECT avg(value) FROM mirpipe.v_generation_score s "
        "JOIN mirpipe.track t ON t.track_id = s.target_id "
        f"WHERE metric = 'cosine real' AND mode = '{mode}' "
        "GROUP BY t.content_sha256 ORDER BY t.content_sha256",
    )
    return np.array([row[0] for row in rows])


def test_a_mean_and_its_interval_are_over_targets(library: Database) -> None:
    [(n, clips, mean, low, high)] = query(
        library,
        "SELECT n, clips_n, mean, low, high FROM mirpipe.v_generation_summary "
        "WHERE metric = 'cosine real' AND mode = 'strong'",
    )
    assert (n, clips) == (TARGETS, 2 * TARGETS)
    values = target_means(library, "strong")
    [expected] = compare([values])
    np.testing.assert_allclose([mean, low, high], [values.mean(), expected.low, expected.high])


def test_all_pairs_of_modes_are_compared_after_averaging_seeds(
    library: Database,
) -> None:
    comparisons = {
        (comparison.mode, comparison.than_mode): comparison
        for comparison in queries.mode_comparisons()
        if comparison.metric == "cosine real"
    }
    assert set(comparisons) == {("medium", "simple"), ("strong", "simple"), ("strong", "medium")}
    [expected] = compare([target_means(library, "strong") - target_means(library, "medium")])
    comparison = comparisons["strong", "medium"]
    assert (comparison.n, comparison.higher_n) == (TARGETS, expected.higher_n)
    np.testing.assert_allclose(
        [comparison.mean_difference, comparison.sd, comparison.low, comparison.high],
        [expected.mean, expected.sd, expected.low, expected.high],
    )
    assert query(
        library,
        f"SELECT abs(p - {expected.p}) < 1e-9, method FROM mirpipe.v_generation_delta "
        "WHERE metric = 'cosine real' AND mode = 'strong' AND than_mode = 'medium'",
    ) == [(True, "exact")]


def test_aesthetics_are_means_by_mode_and_unscored_clips_are_counted(library: Database) -> None:
    assert query(
        library,
        "SELECT metric, mean, n, undefined_n, interval_reason FROM mirpipe.v_generation_summary "
        "WHERE mode = 'strong' AND metric LIKE 'aesthetics%' ORDER BY metric",
    ) == [
        (f"aesthetics_{axis}", value, 1, 2 * TARGETS - 1, "too_few_targets")
        for axis, value in (("ce", 6), ("cu", 7), ("pc", 3), ("pq", 8))
    ]


def test_summaries_of_past_runs_also_name_the_weights(library: Database) -> None:
    columns = (
        "SELECT DISTINCT metric_revision, metric_licence_weights, metric_random FROM mirpipe.{} "
        "WHERE metric = 'cosine real'"
    )
    views = ("v_generation_summary", "v_generation_summary_history", "v_generation_group_summary")
    [encoder] = query(library, "SELECT revision, licence_weights, random FROM mirpipe.v_encoder")
    for view in (*views, "v_generation_score"):
        assert query(library, columns.format(view)) == [encoder]


def test_clips_are_summarised_by_the_genre_of_their_targets(library: Database) -> None:
    rows = [
        (row.subject, row.value, row.n, row.unlabelled_n)
        for row in queries.generation_group_summaries("genre")
        if row.metric == "cosine real"
    ]
    assert rows == [
        ("model simple (3)", "folk", TARGETS - 1, 1),
        ("model medium (3)", "folk", TARGETS - 1, 1),
        ("model strong (5)", "folk", TARGETS - 1, 1),
    ]


_EMBED = """
    INSERT INTO mirpipe.embedding
    SELECT n.encoder_id, t.track_id, t.collection, b.batch_id, '[1,0,0,0]'
    FROM mirpipe.encoder n, mirpipe.embedding_batch b, mirpipe.track t
    WHERE n.revision = 'r2' AND t.collection = ANY(:collections)
"""


def test_cosines_of_clips_stay_until_a_new_revision_has_embedded_the_clips(
    library: Database,
) -> None:
    def embed(*collections: str) -> str:
        """Add vectors by the new revision for these collections, and return the active revision."""
        with library.app.begin() as connection:
            connection.execute(text(_EMBED), {"collections": list(collections)})
        retrieve()
        report(trigger="test")
        [(revision,)] = query(
            library,
            "SELECT revision FROM mirpipe.serving_revision JOIN mirpipe.encoder USING (encoder_id)",
        )
        return str(revision)

    cosines = (
        "SELECT metric, mean, clips_n FROM mirpipe.v_generation_summary "
        "WHERE metric LIKE 'cosine%' ORDER BY mode"
    )
    before = query(library, cosines)
    with library.app.begin() as connection:
        connection.execute(text("SELECT mirpipe.register_encoder('real', 'r2', 4, '{}')"))
    assert embed("reference", "target") == "r1"
    assert query(library, cosines) == before
    assert embed("generated") == "r2"
    assert [row[1:] for row in query(library, cosines)] == [(1.0, 2 * TARGETS)] * 3
