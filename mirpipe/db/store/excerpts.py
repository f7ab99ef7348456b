"""Chooses the excerpt of each target, and reads excerpts.

The excerpt is the part of a target that is captioned, that conditions the clips, and that the clips
are compared with. It is the middle of the target, because the middle is more typical of a track
than the introduction, and it is as long as a clip. If more than a tenth of the middle is silent,
the excerpt is the middle of the longest sounding part instead.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from mirpipe.db.named_locks import lock_until_transaction_ends
from mirpipe.records import Excerpt

LARGEST_SILENT_SHARE = 0.1
"""Largest share of silence in the middle of a target with which it is still the excerpt."""

_MIDDLES = text("""
    SELECT track_id,
        CAST(round(CAST(greatest(0, (seconds - :longest) / 2) AS numeric), 3)
            AS double precision) AS start_seconds,
        CAST(round(CAST(least(seconds, :longest) AS numeric), 3)
            AS double precision) AS seconds,
        seconds <= :longest AS is_whole, seconds AS track_seconds,
        coalesce(silent_parts, '{}') AS silent_parts
    FROM mirpipe.track
    WHERE collection = 'target' AND state = 'ok' AND has_audio AND seconds >= 0.001
""")
_CHOOSE = text("""
    WITH chosen AS (
        SELECT * FROM unnest(CAST(:track_ids AS bigint[]), CAST(:starts AS double precision[]),
            CAST(:lengths AS double precision[]), CAST(:is_whole AS boolean[]))
            AS c (track_id, start_seconds, seconds, is_whole)
    ), outdated AS (
        UPDATE mirpipe.excerpt x SET wanted = false FROM chosen c
        WHERE x.track_id = c.track_id AND x.wanted
          AND (x.start_seconds, x.seconds) <> (c.start_seconds, c.seconds)
    )
    SELECT c.* FROM chosen c
    WHERE NOT EXISTS (
        SELECT FROM mirpipe.excerpt x
        WHERE (x.track_id, x.start_seconds, x.seconds) = (c.track_id, c.start_seconds, c.seconds)
          AND x.wanted)
    ORDER BY c.track_id
""")
_WANT = text("""
    INSERT INTO mirpipe.excerpt (track_id, start_seconds, seconds, is_whole)
    VALUES (:track_id, :start_seconds, :seconds, :is_whole)
    ON CONFLICT (track_id, start_seconds, seconds) DO UPDATE SET wanted = true
""")
_COLUMNS = "excerpt_id, start_seconds, seconds, is_whole"
_WANTED = text(
    f"SELECT track_id, {_COLUMNS} FROM mirpipe.excerpt "
    "WHERE wanted AND track_id = ANY(CAST(:track_ids AS bigint[]))"
)
_READ = text(
    f"SELECT {_COLUMNS} FROM mirpipe.excerpt WHERE excerpt_id = ANY(CAST(:excerpt_ids AS bigint[]))"
)


def choose(connection: Connection, longest_seconds: float) -> None:
    """Choose the excerpt of each usable target, `longest_seconds` seconds long.

    The excerpt of a shorter target is the complete target. Earlier excerpts are kept, but are no
    longer wanted. If nothing has changed, nothing is written.
    """
    lock_until_transaction_ends(connection, "excerpt")
    middles = connection.execute(_MIDDLES, {"longest": longest_seconds}).all()
    parameters = {
        "track_ids": [row.track_id for row in middles],
        "starts": [_start_seconds(row) for row in middles],
        "lengths": [row.seconds for row in middles],
        "is_whole": [row.is_whole for row in middles],
    }
    new = [dict(row) for row in connection.execute(_CHOOSE, parameters).mappings()]
    if new:
        connection.execute(_WANT, new)


def _start_seconds(middle: Row[Any]) -> float:
    """Return the start of the excerpt: that of the middle, unless the middle is mostly silent."""
    start, length = middle.start_seconds, middle.seconds
    parts = list(zip(middle.silent_parts[::2], middle.silent_parts[1::2], strict=True))
    silent = sum(max(0.0, min(b, start + length) - max(a, start)) for a, b in parts)
    if middle.is_whole or silent <= LARGEST_SILENT_SHARE * length:
        return float(start)
    edges = [0.0, *middle.silent_parts, middle.track_seconds]
    first, last = max(zip(edges[::2], edges[1::2], strict=True), key=lambda part: part[1] - part[0])
    latest = middle.track_seconds - length
    return float(round(min(max(0.0, (first + last - length) / 2), latest), 3))


def wanted(connection: Connection, track_ids: Sequence[int]) -> dict[int, Excerpt]:
    """Return the excerpts that the settings request for these targets, by track id."""
    rows = connection.execute(_WANTED, {"track_ids": list(track_ids)})
    return {
        row.track_id: Excerpt(row.excerpt_id, row.start_seconds, row.seconds, row.is_whole)
        for row in rows
    }


def read(connection: Connection, excerpt_ids: Sequence[int]) -> dict[int, Excerpt]:
    """Return these excerpts by id."""
    rows = connection.execute(_READ, {"excerpt_ids": list(excerpt_ids)})
    return {row.excerpt_id: Excerpt(*row) for row in rows}
