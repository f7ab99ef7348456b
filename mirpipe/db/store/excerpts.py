"""Chooses the excerpt of each target, and reads excerpts.

The excerpt is the part of a target that is captioned, that conditions the clips, and that the clips
are compared with. It is the middle of the target, because the middle is more typical of a track
than the introduction, and it is as long as a clip.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from mirpipe.db.named_locks import lock_until_transaction_ends
from mirpipe.records import Excerpt

_CHOOSE = text("""
    WITH chosen AS (
        SELECT track_id,
            CAST(round(CAST(greatest(0, (seconds - :longest) / 2) AS numeric), 3)
                AS double precision) AS start_seconds,
            CAST(round(CAST(least(seconds, :longest) AS numeric), 3)
                AS double precision) AS seconds,
            seconds <= :longest AS is_whole
        FROM mirpipe.track WHERE collection = 'target' AND state = 'ok' AND seconds >= 0.001
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
    """Make the middle `longest_seconds` seconds of each usable target its excerpt.

    The excerpt of a shorter target is the complete target. Earlier excerpts are kept, but are no
    longer wanted. If nothing has changed, nothing is written.
    """
    lock_until_transaction_ends(connection, "excerpt")
    new = [
        dict(row) for row in connection.execute(_CHOOSE, {"longest": longest_seconds}).mappings()
    ]
    if new:
        connection.execute(_WANT, new)


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
