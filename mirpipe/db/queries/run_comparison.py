"""Comparison of two runs: the best matches that differ, and the causes."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles
from mirpipe.settings import settings


@dataclass(frozen=True)
class BestMatchDifference:
    """A target whose best matches by the same encoder differ between two runs."""

    encoder: str
    target: str
    """Title of the target."""
    before: str | None
    """Title of the best match in the first run. None if there was no match."""
    after: str | None
    """Title of the best match in the second run. None if there was no match."""
    cosine_before: float | None
    """Cosine of the best match in the first run."""
    cosine_after: float | None
    """Cosine of the best match in the second run."""
    causes: str
    """Causes of all changes between the two runs, oldest first, separated by commas."""
    target_id: int
    before_id: int | None
    """Id of the best match in the first run. None if there was no match."""
    after_id: int | None
    """Id of the best match in the second run. None if there was no match."""


@dataclass(frozen=True)
class DifferenceCounts:
    """How many best matches differ between two runs, and the causes."""

    n: int
    """Number of best matches that differ."""
    causes: dict[str, int]
    """Number of these best matches by cause. A best match can have several causes."""


_DIFFERING = """
    WITH best AS NOT MATERIALIZED (
        SELECT e.name AS encoder, s.target_id, s.reference_id, s.cosine,
            int8range(s.from_run, s.to_run) AS runs
        FROM mirpipe.served_neighbour s JOIN mirpipe.encoder e USING (encoder_id)
        WHERE s.rank = 1
    ), before AS (
        SELECT * FROM best WHERE runs @> CAST(:before AS bigint)
    ), after AS (
        SELECT * FROM best WHERE runs @> CAST(:after AS bigint)
    ), differing AS (
        SELECT encoder, target_id, before.reference_id AS before_id, after.reference_id AS after_id,
            before.cosine AS cosine_before, after.cosine AS cosine_after
        FROM before FULL JOIN after USING (encoder, target_id)
        WHERE before.reference_id IS DISTINCT FROM after.reference_id
    ), change AS NOT MATERIALIZED (
        SELECT encoder_name AS encoder, target_id, run_id, cause FROM mirpipe.neighbour_change
        WHERE run_id > least(:before, :after) AND run_id <= greatest(:before, :after)
    )
"""
_DIFFERENCES = text(f"""
    {_DIFFERING}
    SELECT d.encoder, t.title AS target, b.title AS before, a.title AS after, d.cosine_before,
        d.cosine_after, coalesce((
            SELECT string_agg(c.cause, ', ' ORDER BY c.run_id) FROM change c
            WHERE (c.encoder, c.target_id) = (d.encoder, d.target_id)), '') AS causes,
        d.target_id, b.track_id AS before_id, a.track_id AS after_id
    FROM differing d JOIN mirpipe.track t ON t.track_id = d.target_id
    LEFT JOIN mirpipe.track b ON b.track_id = d.before_id
    LEFT JOIN mirpipe.track a ON a.track_id = d.after_id
    ORDER BY t.title, t.track_id, array_position(CAST(:encoder_order AS text[]), d.encoder),
        d.encoder
    LIMIT :limit OFFSET :offset
""")
_COUNTS = text(f"""
    {_DIFFERING}
    SELECT (SELECT count(*) FROM differing) AS n, coalesce((
        SELECT jsonb_object_agg(cause, n) FROM (
            SELECT c.cause, count(DISTINCT (encoder, target_id)) AS n
            FROM differing JOIN change c USING (encoder, target_id) GROUP BY c.cause) counted
        ), '{{}}') AS causes
""")


def best_match_difference_counts(before: int, after: int) -> DifferenceCounts:
    """Return how many best matches differ between two runs, which are given by their ids."""
    [counts] = read_rows(DifferenceCounts, _COUNTS, before=before, after=after)
    return counts


def best_match_differences(
    before: int, after: int, *, limit: int | None = None, offset: int = 0
) -> list[BestMatchDifference]:
    """Return the best matches that differ between two runs. The runs are given by their ids.

    The list is sorted by target. At most `limit` differences are returned, after the first
    `offset` ones.
    """
    rows = read_rows(
        BestMatchDifference,
        _DIFFERENCES,
        before=before,
        after=after,
        encoder_order=settings().encoders,
        limit=limit,
        offset=offset,
    )
    return with_distinct_titles(rows, target="target_id", before="before_id", after="after_id")
