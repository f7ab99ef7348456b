"""The references and targets that only one of two runs contains."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class LibraryDifference:
    """A track that was usable at the time of only one of two runs."""

    track_id: int
    title: str
    collection: str
    """reference or target."""
    run_id: int
    """The run that contains the track."""
    removed_as: str | None
    """gone or rejected if the track was removed between the runs. None if it was added."""
    reason: str | None
    """Code of the reason why the track was rejected."""
    n: int
    """Number of all tracks of this collection that only this run contains."""


# A track is dated by its first appearance and by its last removal. Nothing says when a track came
# back, so such a track counts as usable since its first appearance.
_DIFFERENCES = text("""
    WITH compared AS (
        SELECT before.run_id AS before_id, after.run_id AS after_id,
            before.finished_at AS before_at, after.finished_at AS after_at
        FROM mirpipe.run before, mirpipe.run after
        WHERE before.run_id = :before AND after.run_id = :after
    ), differing AS NOT MATERIALIZED (
        SELECT track_id, collection, in_before
        FROM mirpipe.track t CROSS JOIN compared CROSS JOIN LATERAL (SELECT
            first_seen <= before_at AND (state = 'ok' OR changed_at > before_at) AS in_before,
            first_seen <= after_at AND (state = 'ok' OR changed_at > after_at) AS in_after) found
        WHERE collection IN ('reference', 'target') AND in_before <> in_after
    ), counted AS (
        SELECT collection, in_before, count(*) AS n FROM differing GROUP BY collection, in_before
    )
    SELECT t.track_id, t.title, t.collection,
        CASE WHEN c.in_before THEN before_id ELSE after_id END AS run_id,
        CASE WHEN t.state <> 'ok' AND t.changed_at <= greatest(before_at, after_at)
            THEN t.state END AS removed_as,
        t.reason, c.n
    FROM compared, counted c CROSS JOIN LATERAL (
        SELECT track_id FROM differing d
        WHERE d.collection = c.collection AND d.in_before = c.in_before
        ORDER BY track_id LIMIT :limit) d
    JOIN mirpipe.track t ON t.track_id = d.track_id
    ORDER BY t.collection, run_id, t.track_id
""")


def library_differences(before: int, after: int, *, limit: int) -> list[LibraryDifference]:
    """Return references and targets that only one of two runs contains.

    The runs are given by their ids. At most `limit` tracks are returned per collection and run.
    Tracks that were gone and came back are not found.
    """
    rows = read_rows(LibraryDifference, _DIFFERENCES, before=before, after=after, limit=limit)
    return with_distinct_titles(rows, title="track_id")
