"""What happened to a track: its files, labels and state, and the best matches that include it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class TrackEvent:
    """One event in the history of a track."""

    at: datetime
    """Time of the event, with its time zone."""
    event: str
    """added, file read, file gone, retagged, rejected, gone, has best match, is best match of or
    is no longer best match of."""
    detail: str
    """Path, earlier title, reason, or cause of the changed match. Empty if there is none."""
    encoder: str
    """Encoder whose match changed. Empty for other events."""
    other_id: int | None
    """The other track of the match. None for other events."""
    other: str | None
    """Title of the other track."""
    run_id: int | None
    """Run that published the match. None for other events."""


# Two indexes find the matches: the primary key of served_neighbour starts with the encoder and the
# target, and another index contains the reference. They lead to the rows of neighbour_change, which
# has no such index.
_EVENTS = text("""
    WITH matched AS (
        SELECT 'has best match' AS event, c.reference_id AS other_id, c.run_id, c.encoder_name,
            c.cause
        FROM mirpipe.encoder e
        JOIN mirpipe.served_neighbour s
            ON s.encoder_id = e.encoder_id AND s.target_id = :track_id AND s.rank = 1
        JOIN mirpipe.neighbour_change c
            ON (c.run_id, c.encoder_name, c.target_id) = (s.from_run, e.name, s.target_id)
        WHERE c.reference_id = s.reference_id AND c.cause <> 'retagged'
        UNION ALL
        SELECT 'is best match of', c.target_id, c.run_id, c.encoder_name, c.cause
        FROM mirpipe.served_neighbour s
        JOIN mirpipe.encoder e USING (encoder_id)
        JOIN mirpipe.neighbour_change c
            ON (c.run_id, c.encoder_name, c.target_id) = (s.from_run, e.name, s.target_id)
        WHERE s.reference_id = :track_id AND s.rank = 1
            AND c.reference_id = s.reference_id AND c.cause <> 'retagged'
        UNION ALL
        SELECT 'is no longer best match of', c.target_id, c.run_id, c.encoder_name, c.cause
        FROM mirpipe.served_neighbour s
        JOIN mirpipe.encoder e USING (encoder_id)
        JOIN mirpipe.neighbour_change c
            ON (c.run_id, c.encoder_name, c.target_id) = (s.to_run, e.name, s.target_id)
        WHERE s.reference_id = :track_id AND s.rank = 1
            AND c.previous_reference_id = s.reference_id AND c.cause <> 'retagged'
    )
    SELECT at, event, detail, encoder, other_id, other, run_id FROM (
        SELECT first_seen AS at, 1 AS place, 'added' AS event, '' AS detail, '' AS encoder,
            CAST(NULL AS bigint) AS other_id, CAST(NULL AS text) AS other,
            CAST(NULL AS bigint) AS run_id
        FROM mirpipe.track WHERE track_id = :track_id
        UNION ALL
        SELECT changed_at, 4, state, coalesce(reason, ''), '', NULL, NULL, NULL
        FROM mirpipe.track WHERE track_id = :track_id AND state <> 'ok'
        UNION ALL
        SELECT changed_at, 3, 'retagged', title, '', NULL, NULL, NULL
        FROM mirpipe.label_change WHERE track_id = :track_id
        UNION ALL
        SELECT seen_at, 2, 'file read', path_text, '', NULL, NULL, NULL
        FROM mirpipe.track_file WHERE track_id = :track_id
        UNION ALL
        SELECT gone_at, 3, 'file gone', path_text, '', NULL, NULL, NULL
        FROM mirpipe.track_file WHERE track_id = :track_id AND gone_at IS NOT NULL
        UNION ALL
        SELECT r.finished_at, 5, m.event, m.cause, m.encoder_name, m.other_id, o.title, m.run_id
        FROM matched m
        JOIN mirpipe.run r USING (run_id)
        JOIN mirpipe.track o ON o.track_id = m.other_id
    ) history
    ORDER BY at DESC, place DESC, event, encoder, other, other_id LIMIT :limit
""")


def track_history(track_id: int, *, limit: int = 100) -> list[TrackEvent]:
    """Return the latest events of a track, newest first."""
    rows = read_rows(TrackEvent, _EVENTS, track_id=track_id, limit=limit)
    return with_distinct_titles(rows, other="other_id")
