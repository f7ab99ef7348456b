"""Trims neighbour lists to their maximum length, and raises the horizons of full lists."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from mirpipe.db.store import neighbour_lists

_TRIM = text("""
    WITH ranked AS MATERIALIZED (
        SELECT n.target_id, n.reference_id, n.cosine, r.content_sha256,
            row_number() OVER (
                PARTITION BY n.target_id ORDER BY n.cosine DESC, r.content_sha256) AS rank
        FROM mirpipe.neighbour n JOIN mirpipe.track r ON r.track_id = n.reference_id
        WHERE n.encoder_id = :encoder_id AND n.target_id = ANY(:target_ids)
    ), trimmed AS (
        DELETE FROM mirpipe.neighbour n USING ranked r
        WHERE n.encoder_id = :encoder_id AND n.target_id = r.target_id
          AND n.reference_id = r.reference_id AND r.rank > :max_entries)
    UPDATE mirpipe.neighbour_state s
    SET horizon_cosine = r.cosine, horizon_sha256 = r.content_sha256
    FROM ranked r
    WHERE s.encoder_id = :encoder_id AND s.target_id = r.target_id
      AND r.rank = :max_entries
""")


def trim_lists_and_raise_horizons(
    connection: Connection, encoder_id: int, target_ids: Sequence[int]
) -> None:
    """Trim the lists of these targets to MAX_ENTRIES, and raise the horizons of full lists.

    The new horizon is the last entry of the full list. References below this entry are no longer in
    the list, so the list is complete only down to this entry.
    """
    connection.execute(
        _TRIM,
        {
            "encoder_id": encoder_id,
            "target_ids": list(target_ids),
            "max_entries": neighbour_lists.MAX_ENTRIES,
        },
    )
