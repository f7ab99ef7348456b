"""How the aesthetics ratings of all tracks are distributed, as a histogram for each axis."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows

LOWEST, HIGHEST, BINS = 1, 10, 36


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
    """Share of all rated tracks that are in the bin."""


# Ratings outside of the scale are in the first or the last bin.
_BINS = text("""
    SELECT metric, low, low + CAST(:width AS double precision) AS high,
        CAST(tracks / sum(tracks) OVER (PARTITION BY metric) AS double precision) AS share
    FROM (
        SELECT m.name AS metric, count(*) AS tracks,
            :lowest + CAST(:width AS double precision) * (greatest(1, least(:bins,
                width_bucket(s.value, :lowest, :highest, :bins))) - 1) AS low
        FROM mirpipe.shown_metric m JOIN mirpipe.track_score s USING (metric_id)
        WHERE m.spec ->> 'axis' IS NOT NULL AND s.value IS NOT NULL
        GROUP BY m.name, low) b
    ORDER BY metric, low
""")


def rating_distributions() -> list[RatingBin]:
    """Return the histograms of the ratings of all tracks, by axis, lowest bin first."""
    return read_rows(
        RatingBin,
        _BINS,
        lowest=LOWEST,
        highest=HIGHEST,
        bins=BINS,
        width=(HIGHEST - LOWEST) / BINS,
    )
