"""The scale on which the cosines of any query vector become z and a percentile.

`run_target` stores this scale for targets. For other queries, it follows from the same sums over
the reference vectors.
"""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.records import Float32, Float64
from mirpipe.statistics.cosine_moments import Moments, mean_and_sd


@dataclass(frozen=True, eq=False)
class QueryScale:
    """The cosines of a query to all references, and of the references to each other."""

    mean: float | None
    """Mean cosine of the query to the references. None if there are fewer than two."""
    sd: float | None
    """Population standard deviation of these cosines. None if there are fewer than two."""
    pair_cosines: Float64
    """Quantiles of the cosines of reference pairs, ascending, shape (n,). Empty without a run."""

    def z(self, cosine: float) -> float | None:
        """Return by how many standard deviations a cosine is above the mean.

        None if there are fewer than two references, or if all their cosines are equal.
        """
        return (cosine - self.mean) / self.sd if self.mean is not None and self.sd else None

    def percentile(self, cosine: float) -> float | None:
        """Return the percentage of reference pairs whose cosine is not higher, or None."""
        n = len(self.pair_cosines)
        return float(100 * np.searchsorted(self.pair_cosines, cosine, "right") / n) if n else None


@dataclass(frozen=True)
class _ScaleRow:
    n: int | None
    vector_sum: bytes | None
    outer_sum: bytes | None
    own_n: int
    pair_cosines: list[float]


_SCALE = text("""
    SELECT m.n, m.vector_sum, m.outer_sum,
        (SELECT count(*) FROM mirpipe.track t
            JOIN mirpipe.background_member b USING (track_id)
            WHERE b.encoder_id = e.encoder_id AND t.content_sha256 = :sha256) AS own_n,
        coalesce((SELECT g.background_cosines FROM mirpipe.run_encoder g
            WHERE g.encoder_id = e.encoder_id AND g.run_id = (SELECT max(run_id) FROM mirpipe.run)
        ), '{}') AS pair_cosines
    FROM mirpipe.encoder e LEFT JOIN mirpipe.background_moment m USING (encoder_id)
    WHERE e.encoder_id = :encoder_id
""")


def query_scale(encoder_id: int, vector: Float32, *, sha256: bytes) -> QueryScale:
    """Return the scale for a query vector, shape (dimension,), of unit length.

    `sha256` is the content hash of the query. If the query is a reference itself, its cosine to
    itself does not count.
    """
    (row,) = read_rows(_ScaleRow, _SCALE, encoder_id=encoder_id, sha256=sha256)
    pair_cosines = np.array(row.pair_cosines)
    if not row.n or row.vector_sum is None or row.outer_sum is None:
        return QueryScale(None, None, pair_cosines)
    dimension = len(vector)
    moments = Moments(
        row.n,
        np.frombuffer(row.vector_sum, "<f8"),
        np.frombuffer(row.outer_sum, "<f8").reshape(dimension, dimension),
    )
    if row.own_n:
        moments = moments.minus(np.repeat(vector[np.newaxis], row.own_n, axis=0))
    if moments.n < 2:
        return QueryScale(None, None, pair_cosines)
    mean, sd = mean_and_sd(vector[np.newaxis], moments)
    return QueryScale(float(mean[0]), float(sd[0]), pair_cosines)
