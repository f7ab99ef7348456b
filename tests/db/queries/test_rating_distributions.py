"""Tests of the histograms of aesthetics ratings."""

from mirpipe.db.queries.rating_distributions import rating_distributions
from tests.dashboard.example_library import rate
from tests.support.databases import Database


def test_the_bins_contain_the_shares_of_the_rated_tracks(filled: Database) -> None:
    assert rating_distributions() == []
    with filled.owner.begin() as connection:
        rate(connection, "t", 1.0, 5.1, 0.5, 10.0)
        rate(connection, "near", 1.2, 5.3, 0.7, 10.4)
        rate(connection, "far", 1.3, 5.2, 0.9, 9.9)
    bins = [
        (row.metric[-2:], row.low, row.high, round(row.share, 3)) for row in rating_distributions()
    ]
    numbers = {type(n) for row in rating_distributions() for n in (row.low, row.high, row.share)}
    assert numbers == {float}, "charts misread decimal numbers"
    assert bins == [
        ("ce", 1.0, 1.25, 0.667),
        ("ce", 1.25, 1.5, 0.333),
        ("cu", 5.0, 5.25, 0.667),
        ("cu", 5.25, 5.5, 0.333),
        ("pc", 1.0, 1.25, 1.0),
        ("pq", 9.75, 10.0, 1.0),
    ]
