"""Tests of the histograms of aesthetics ratings."""

import pytest
from sqlalchemy import text

from mirpipe.db.queries.rating_distributions import RatingDistributions, rating_distributions
from tests.dashboard.example_library import rate
from tests.support.databases import Database


def test_the_bins_contain_the_shares_of_the_rated_tracks(filled: Database) -> None:
    assert rating_distributions() == RatingDistributions([], is_sample=False)
    with filled.owner.begin() as connection:
        rate(connection, "t", 1.0, 5.1, 0.5, 10.0)
        rate(connection, "near", 1.2, 5.3, 0.7, 10.4)
        rate(connection, "far", 1.3, 5.2, 0.9, 9.9)
    rows = rating_distributions().bins
    bins = [(row.metric[-2:], row.low, row.high, round(row.share, 3)) for row in rows]
    numbers = {type(n) for row in rows for n in (row.low, row.high, row.share)}
    assert numbers == {float}, "charts misread decimal numbers"
    assert bins == [
        ("ce", 1.0, 1.25, 0.667),
        ("ce", 1.25, 1.5, 0.333),
        ("cu", 5.0, 5.25, 0.667),
        ("cu", 5.25, 5.5, 0.333),
        ("pc", 1.0, 1.25, 1.0),
        ("pq", 9.75, 10.0, 1.0),
    ]


def test_many_ratings_are_sampled(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with filled.owner.begin() as connection:
        rate(connection, "t", 1.0, 5.1, 0.5, 10.0)
        rate(connection, "near", 1.2, 5.3, 0.7, 10.4)
        connection.execute(
            text("""
            WITH new AS (
                INSERT INTO mirpipe.track
                    (collection, content_sha256, title, seconds, rms_dbfs, state)
                SELECT 'reference', sha256(int4send(n)), n, 1, -20, 'ok'
                FROM generate_series(1, 40000) n RETURNING track_id)
            INSERT INTO mirpipe.track_score (metric_id, track_id, value)
            SELECT metric_id, track_id, 5 + random() FROM new, mirpipe.shown_metric
            WHERE name = 'aesthetics_ce'""")
        )
    with filled.owner.connect() as connection:
        autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
        autocommit.execute(text("ANALYZE mirpipe.track_score"))
    monkeypatch.setitem(rating_distributions.__globals__, "SAMPLED_SCORES", 20_000)
    sampled = rating_distributions()
    assert sampled.is_sample
    shares = {row.low: row.share for row in sampled.bins if row.metric == "aesthetics_ce"}
    for low in (5.0, 5.25, 5.5, 5.75):
        assert shares[low] == pytest.approx(0.25, abs=0.02)
