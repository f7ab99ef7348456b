"""What a run says of the clips: intervals over targets, modes compared, aesthetics by mode."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.db.queries import generation_deltas, group_summaries
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from mirpipe.statistics.paired_sign_flip_test import compare
from tests.dashboard import clips, filled
from tests.dashboard.filled import Model, Piece
from tests.support.databases import Database

TARGETS = 5


@pytest.fixture
def clipped(fresh_database: Database, tmp_path: Path) -> Database:
    """Five targets, four of a genre, each made anew in three modes by two seeds."""
    pieces = [
        Piece("target", f"t{at}", Path(f"/t{at}"), labels={"genre": "folk"} if at else {})
        for at in range(TARGETS)
    ]
    pieces += [Piece("reference", f"r{at}", Path(f"/r{at}")) for at in range(4)]
    sound = tmp_path / "a.flac"
    sound.touch()
    with fresh_database.owner.begin() as connection:
        filled.fill(connection, pieces, [Model("real", 0.5, 0.1)])
        clips.describe(connection)
        clips.make(connection, [clips.Maker("model", seeds=2)], tmp_path, sound)
        filled.rate(connection, "t1 · model strong 5.0 1", 6.0, 7.0, 3.0, 8.0)
    return fresh_database


def ask(database: Database, query: str) -> list[tuple]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def by_target(database: Database, mode: str) -> np.ndarray:
    rows = ask(
        database,
        "SELECT avg(value) FROM mirpipe.v_generation_score s "
        "JOIN mirpipe.track t ON t.track_id = s.target_id "
        f"WHERE metric = 'cosine real' AND mode = '{mode}' "
        "GROUP BY t.content_sha256 ORDER BY t.content_sha256",
    )
    return np.array([row[0] for row in rows])


def test_a_mean_is_of_clips_and_its_interval_over_targets(clipped: Database) -> None:
    [(n, targets, mean, low, high)] = ask(
        clipped,
        "SELECT n, targets_n, mean, low, high FROM mirpipe.v_generation_summary "
        "WHERE metric = 'cosine real' AND mode = 'strong'",
    )
    assert (n, targets) == (2 * TARGETS, TARGETS)
    values = by_target(clipped, "strong")
    [expected] = compare([values])
    np.testing.assert_allclose([mean, low, high], [values.mean(), expected.low, expected.high])


def test_every_two_modes_are_compared_seeds_averaged_stronger_less_weaker(
    clipped: Database,
) -> None:
    found = {
        (one.mode, one.than_mode): one for one in generation_deltas() if one.metric == "cosine real"
    }
    assert set(found) == {("medium", "simple"), ("strong", "simple"), ("strong", "medium")}
    [expected] = compare([by_target(clipped, "strong") - by_target(clipped, "medium")])
    one = found["strong", "medium"]
    assert (one.n, one.higher_n) == (TARGETS, expected.higher_n)
    np.testing.assert_allclose(
        [one.mean_difference, one.sd, one.low, one.high],
        [expected.mean, expected.sd, expected.low, expected.high],
    )
    assert ask(
        clipped,
        f"SELECT abs(p - {expected.p}) < 1e-9, method FROM mirpipe.v_generation_delta "
        "WHERE metric = 'cosine real' AND mode = 'strong' AND than_mode = 'medium'",
    ) == [(True, "exact")]


def test_aesthetics_are_means_by_mode_with_what_is_not_scored_counted(clipped: Database) -> None:
    assert ask(
        clipped,
        "SELECT metric, mean, n, undefined_n, interval_reason FROM mirpipe.v_generation_summary "
        "WHERE mode = 'strong' AND metric LIKE 'aesthetics%' ORDER BY metric",
    ) == [
        (f"aesthetics_{axis}", value, 1, 2 * TARGETS - 1, "one_target")
        for axis, value in (("ce", 6), ("cu", 7), ("pc", 3), ("pq", 8))
    ]


def test_a_summary_says_which_weights_measured_in_the_past_too(clipped: Database) -> None:
    asked = (
        "SELECT DISTINCT metric_revision, metric_licence_weights, metric_random FROM mirpipe.{} "
        "WHERE metric = 'cosine real'"
    )
    views = ("v_generation_summary", "v_generation_summary_history", "v_generation_group_summary")
    [encoder] = ask(clipped, "SELECT revision, licence_weights, random FROM mirpipe.v_encoder")
    for view in (*views, "v_generation_score"):
        assert ask(clipped, asked.format(view)) == [encoder]


def test_clips_are_summed_up_by_the_genre_of_their_targets(clipped: Database) -> None:
    found = [
        (one.subject, one.value, one.n, one.unlabelled_n)
        for one in group_summaries.generation_by("genre")
        if one.metric == "cosine real"
    ]
    assert found == [
        ("model simple (3)", "folk", 2 * (TARGETS - 1), 1),
        ("model medium (3)", "folk", 2 * (TARGETS - 1), 1),
        ("model strong (5)", "folk", 2 * (TARGETS - 1), 1),
    ]


_EMBED = """
    INSERT INTO mirpipe.embedding
    SELECT n.encoder_id, t.track_id, t.collection, b.batch_id, '[1,0,0,0]'
    FROM mirpipe.encoder n, mirpipe.embedding_batch b, mirpipe.track t
    WHERE n.revision = 'r2' AND t.collection = ANY(:collections)
"""


def test_clips_keep_their_cosines_until_a_new_revision_has_embedded_them_too(
    clipped: Database,
) -> None:
    def embed(*collections: str) -> str:
        """The revision that answers once a report saw these embedded."""
        with clipped.app.begin() as connection:
            connection.execute(text(_EMBED), {"collections": list(collections)})
        retrieve()
        report(trigger="test")
        [(revision,)] = ask(
            clipped,
            "SELECT revision FROM mirpipe.serving_revision JOIN mirpipe.encoder USING (encoder_id)",
        )
        return str(revision)

    cosines = (
        "SELECT metric, mean, n FROM mirpipe.v_generation_summary "
        "WHERE metric LIKE 'cosine%' ORDER BY mode"
    )
    before = ask(clipped, cosines)
    with clipped.app.begin() as connection:
        connection.execute(text("SELECT mirpipe.register_encoder('real', 'r2', 4, '{}')"))
    assert embed("reference", "target") == "r1"
    assert ask(clipped, cosines) == before
    assert embed("generated") == "r2"
    assert [row[1:] for row in ask(clipped, cosines)] == [(1.0, 2 * TARGETS)] * 3
