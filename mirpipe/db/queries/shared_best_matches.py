"""The best matches of two runs among the targets and references that both runs share.

A change of the library also changes averages. On the shared targets and references, only the models
can differ. A list of matches is sorted, so the first shared reference in the list of a run is the
best match that the run would have found among the shared references.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.records import Float64


@dataclass(frozen=True)
class EncoderInRun:
    """An encoder in one run: its revision, what it compared, and the mean over all targets."""

    run_id: int
    finished_at: datetime
    same_recording_counts: bool
    """Whether matches that are the same recording as their target count in this run."""
    revision: str
    random: bool
    """Whether the encoder or the metric has random weights."""
    references_n: int
    targets_n: int
    mean: float | None
    """Mean of the metric over all targets of the run. None if there are no values."""


@dataclass(frozen=True)
class SharedChange:
    """A metric in two runs, for the targets and references that both runs share."""

    then: Float64
    """Value of each target's best shared match in the earlier run, shape (n,)."""
    now: Float64
    """Value of each target's best shared match in the later run, shape (n,)."""
    references_n: int
    """Number of references that are usable now and were ingested before the earlier run."""
    targets_n: int
    """Number of targets that are usable now and were ingested before the earlier run."""
    unmeasured_n: int
    """Number of shared targets of which a best shared match has no score by the metric revision
    that is shown now. They are not in `then` and `now`."""


@dataclass(frozen=True)
class _Pair:
    then: float | None
    now: float | None
    measured: bool


@dataclass(frozen=True)
class _Shared:
    collection: str
    n: int


_ENCODER = text("""
    SELECT n.run_id, n.finished_at, n.same_recording_counts, e.revision,
        e.is_random OR coalesce(m.is_random, false) AS random, g.references_n, g.targets_n, u.mean
    FROM mirpipe.run n
    JOIN mirpipe.run_encoder g USING (run_id)
    JOIN mirpipe.encoder e ON e.encoder_id = g.encoder_id AND e.name = :encoder
    LEFT JOIN mirpipe.run_summary u
        ON u.run_id = n.run_id AND u.encoder_id = e.encoder_id AND u.metric = :metric
    LEFT JOIN mirpipe.metric m ON m.metric_id = u.metric_id
    WHERE n.run_id = :run_id
""")
_IS_SHARED = """
    t.state = 'ok'
    AND t.first_seen <= (SELECT n.finished_at FROM mirpipe.run n WHERE n.run_id = :then)
"""
_SHARED = text(f"""
    SELECT t.collection, count(*) AS n FROM mirpipe.track t
    WHERE t.collection IN ('reference', 'target') AND {_IS_SHARED} GROUP BY t.collection
""")
# If the earlier revision still has its vectors, they also show which references it had embedded.
_WAS_EMBEDDED_LATER = """
    EXISTS (
        SELECT FROM mirpipe.run n JOIN mirpipe.run_encoder g USING (run_id)
        JOIN mirpipe.encoder e ON e.encoder_id = g.encoder_id AND e.name = :encoder
        JOIN mirpipe.embedding v ON v.encoder_id = e.encoder_id AND v.track_id = t.track_id
        JOIN mirpipe.embedding_batch b ON b.batch_id = v.batch_id
        WHERE n.run_id = :then AND b.written_at > n.finished_at)
"""
_LISTED = """
    SELECT s.target_id, s.reference_id, s.counted_rank
    FROM mirpipe.served_neighbour s
    JOIN mirpipe.encoder e ON e.encoder_id = s.encoder_id AND e.name = :encoder
    WHERE s.counted_rank IS NOT NULL
        AND int8range(s.from_run, s.to_run) @> CAST(:{run} AS bigint)
"""
_BEST = """
    SELECT DISTINCT ON (l.target_id) l.target_id, l.reference_id
    FROM listed_{run} l JOIN shared r ON r.track_id = l.reference_id
    ORDER BY l.target_id, l.counted_rank
"""
SCORE_OF_PAIR = """
    LEFT JOIN LATERAL (
        SELECT p.value, true AS measured FROM mirpipe.pair_score p
        WHERE m.spec ->> 'axis' IS NULL AND p.metric_id = m.metric_id
        AND (p.target_id, p.reference_id) = ({match}.target_id, {match}.reference_id)
        AND p.excerpt_id {excerpt}
        UNION ALL
        SELECT s.value, true FROM mirpipe.track_score s
        WHERE m.spec ->> 'axis' IS NOT NULL AND s.metric_id = m.metric_id
        AND s.track_id = {match}.reference_id) {match}_score ON true
"""
"""SQL for the score by the metric m of the pair with the alias {match}.

{excerpt} is the condition on the excerpt that is compared, which is NULL for the best match.

There is a row without a value if the score is undefined, and no row if it is not measured.
"""
_PAIRS = text(f"""
    WITH listed_then AS MATERIALIZED ({_LISTED.format(run="then")}),
    listed_now AS MATERIALIZED ({_LISTED.format(run="now")}),
    shared AS MATERIALIZED (
        SELECT t.track_id FROM mirpipe.track t
        WHERE {_IS_SHARED} AND NOT {_WAS_EMBEDDED_LATER} AND t.track_id IN (
            SELECT target_id FROM listed_now UNION SELECT reference_id FROM listed_now
            UNION SELECT reference_id FROM listed_then)),
    earlier AS ({_BEST.format(run="then")}),
    later AS ({_BEST.format(run="now")})
    SELECT earlier_score.value AS then, later_score.value AS now,
        (earlier_score.measured AND later_score.measured) IS TRUE AS measured
    FROM earlier JOIN later USING (target_id)
    JOIN shared h ON h.track_id = earlier.target_id
    JOIN mirpipe.track t ON t.track_id = earlier.target_id
    JOIN mirpipe.shown_metric m ON m.name = :metric
    {SCORE_OF_PAIR.format(match="earlier", excerpt="IS NULL")}
    {SCORE_OF_PAIR.format(match="later", excerpt="IS NULL")}
    ORDER BY t.content_sha256
""")


def encoder_in_run(run_id: int, encoder: str, metric: str) -> EncoderInRun | None:
    """Return the encoder in this run, or None if the run or its results do not exist."""
    rows = read_rows(EncoderInRun, _ENCODER, run_id=run_id, encoder=encoder, metric=metric)
    return next(iter(rows), None)


def shared_change(then: int, now: int, encoder: str, metric: str) -> SharedChange:
    """Return the values of the best shared matches in two runs, given by their ids.

    `now` must be the latest run. A track is shared if it is usable now, was first ingested before
    the earlier run was published, and was not embedded later by that run's revision. All values are
    by the metric revision that is shown now. A target is left out if none of its shown matches is
    shared, or if one of its values is undefined or not measured. The targets that are not measured
    are counted. The targets are sorted by content hash.
    """
    counts = {row.collection: row.n for row in read_rows(_Shared, _SHARED, then=then)}
    pairs = read_rows(_Pair, _PAIRS, then=then, now=now, encoder=encoder, metric=metric)
    values = np.array([(pair.then, pair.now) for pair in pairs], np.float64).reshape(-1, 2)
    values = values[np.isfinite(values).all(axis=1)]
    return SharedChange(
        values[:, 0],
        values[:, 1],
        counts.get("reference", 0),
        counts.get("target", 0),
        sum(not pair.measured for pair in pairs),
    )
