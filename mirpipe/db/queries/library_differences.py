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
    ), candidate AS (
        SELECT t.track_id, t.title, t.collection, t.state, t.reason, before_id, after_id,
            first_seen <= before_at AND (state = 'ok' OR changed_at > before_at) AS in_before,
            first_seen <= after_at AND (state = 'ok' OR changed_at > after_at) AS in_after,
            state <> 'ok' AND changed_at <= greatest(before_at, after_at) AS is_removed
        FROM mirpipe.track t, compared
        WHERE t.collection IN ('reference', 'target') AND (
            first_seen > least(before_at, after_at) AND first_seen <= greatest(before_at, after_at)
            OR state <> 'ok' AND changed_at > least(before_at, after_at)
                AND changed_at <= greatest(before_at, after_at))
    ), differing AS (
        SELECT track_id, title, collection, reason,
            CASE WHEN in_before THEN before_id ELSE after_id END AS run_id,
            CASE WHEN is_removed THEN state END AS removed_as,
            count(*) OVER (PARTITION BY collection, in_before) AS n,
            row_number() OVER (PARTITION BY collection, in_before ORDER BY track_id) AS place
        FROM candidate WHERE in_before <> in_after
    )
    SELECT track_id, title, collection, run_id, removed_as, reason, n FROM differing
    WHERE place <= :limit ORDER BY collection, run_id, place
""")


def library_differences(before: int, after: int, *, limit: int) -> list[LibraryDifference]:
    """Return references and targets that only one of two runs contains.

    The runs are given by their ids. At most `limit` tracks are returned per collection and run.
    Tracks that were gone and came back are not found.
    """
    rows = read_rows(LibraryDifference, _DIFFERENCES, before=before, after=after, limit=limit)
    return with_distinct_titles(rows, title="track_id")
