"""Comparison of two runs: the best matches that differ, and the causes."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles
from mirpipe.settings import settings

MAX_DIFFERENCES = 10_000
"""Maximum number of differences that are returned."""


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


_DIFFERENCES = text("""
    WITH best AS NOT MATERIALIZED (
        SELECT e.name AS encoder, s.target_id, s.reference_id, s.cosine,
            int8range(s.from_run, s.to_run) AS runs
        FROM mirpipe.served_neighbour s JOIN mirpipe.encoder e USING (encoder_id)
        WHERE s.rank = 1
    ), before AS (
        SELECT * FROM best WHERE runs @> CAST(:before AS bigint)
    ), after AS (
        SELECT * FROM best WHERE runs @> CAST(:after AS bigint)
    )
    SELECT encoder, t.title AS target, b.title AS before, a.title AS after,
        before.cosine AS cosine_before, after.cosine AS cosine_after,
        coalesce((SELECT string_agg(c.cause, ', ' ORDER BY c.run_id)
            FROM mirpipe.neighbour_change c
            WHERE c.encoder_name = encoder AND c.target_id = t.track_id
                AND c.run_id > least(:before, :after) AND c.run_id <= greatest(:before, :after)
        ), '') AS causes,
        t.track_id AS target_id, b.track_id AS before_id, a.track_id AS after_id
    FROM before FULL JOIN after USING (encoder, target_id)
    JOIN mirpipe.track t ON t.track_id = target_id
    LEFT JOIN mirpipe.track b ON b.track_id = before.reference_id
    LEFT JOIN mirpipe.track a ON a.track_id = after.reference_id
    WHERE before.reference_id IS DISTINCT FROM after.reference_id
    ORDER BY t.title, t.track_id, array_position(CAST(:encoder_order AS text[]), encoder), encoder
    LIMIT :limit
""")


def best_match_differences(before: int, after: int) -> list[BestMatchDifference]:
    """Return the best matches that differ between two runs. The runs are given by their ids.

    The list is sorted by target and has at most `MAX_DIFFERENCES` items.
    """
    rows = read_rows(
        BestMatchDifference,
        _DIFFERENCES,
        before=before,
        after=after,
        encoder_order=settings().encoders,
        limit=MAX_DIFFERENCES,
    )
    return with_distinct_titles(rows, target="target_id", before="before_id", after="after_id")
