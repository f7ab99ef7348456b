"""How the aesthetics ratings of all tracks are distributed, as a histogram for each axis.

In a large library, the histograms are those of a random sample, because Postgres would have to read
every rating.
"""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows

LOWEST, HIGHEST, BINS = 1, 10, 36
SAMPLED_SCORES = 200_000
"""Approximate number of scores that are read, of all axes. With 50,000 ratings per axis, the
standard error of a share is at most 0.002. It is larger if neighbouring tracks are similar."""


@dataclass(frozen=True)
class RatingBin:
    """One bin of the histogram of an axis. Empty bins are left out."""

    metric: str
    """aesthetics_ce, aesthetics_cu, aesthetics_pc or aesthetics_pq."""
    low: float
    """Lower edge of the bin, in points."""
    high: float
    """Upper edge of the bin, in points."""
    share: float
    """Share of the rated tracks that are in the bin."""


@dataclass(frozen=True)
class RatingDistributions:
    """The histograms of all axes."""

    bins: list[RatingBin]
    """The bins by axis, lowest bin first."""
    is_sample: bool
    """Whether the bins count a random sample of the tracks."""


@dataclass(frozen=True)
class _Estimate:
    scores: float


# Postgres updates the estimate when it vacuums or analyses the table; before, it is -1.
_ESTIMATE = text(
    "SELECT reltuples AS scores FROM pg_class WHERE oid = CAST('mirpipe.track_score' AS regclass)"
)


# TABLESAMPLE SYSTEM reads a random part of the table's pages, always the same ones.
# Ratings outside of the scale are in the first or the last bin.
_BINS = text("""
    SELECT metric, low, low + CAST(:width AS double precision) AS high,
        CAST(tracks / sum(tracks) OVER (PARTITION BY metric) AS double precision) AS share
    FROM (
        SELECT m.name AS metric, count(*) AS tracks,
            :lowest + CAST(:width AS double precision) * (greatest(1, least(:bins,
                width_bucket(s.value, :lowest, :highest, :bins))) - 1) AS low
        FROM mirpipe.shown_metric m
        JOIN mirpipe.track_score s TABLESAMPLE SYSTEM (:percent) REPEATABLE (0) USING (metric_id)
        WHERE m.spec ->> 'axis' IS NOT NULL AND s.value IS NOT NULL
        GROUP BY m.name, low) b
    ORDER BY metric, low
""")


def rating_distributions() -> RatingDistributions:
    """Return the histograms of the ratings of all tracks, or of a random sample of many tracks."""
    [estimate] = read_rows(_Estimate, _ESTIMATE)
    percent = min(100.0, 100 * SAMPLED_SCORES / max(estimate.scores, 1))
    bins = read_rows(
        RatingBin,
        _BINS,
        lowest=LOWEST,
        highest=HIGHEST,
        bins=BINS,
        width=(HIGHEST - LOWEST) / BINS,
        percent=percent,
    )
    return RatingDistributions(bins, is_sample=percent < 100)
