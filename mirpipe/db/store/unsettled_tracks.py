"""The list of tracks that may have pending work. `v_pending` looks only at these tracks.

Triggers add a track when it is new or loses a result, and all tracks when a plug-in is configured.
The list may contain tracks without pending work, but no track with pending work may be missing.
"""

from psycopg2.errors import LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

_VIEWS = ("pending_embedding", "pending_melody", "pending_feature", "pending_track_score")

# A trigger of a transaction that configures a plug-in cannot see tracks that were added meanwhile.
# Without this lock, such a track could be deleted from the list before the plug-in is visible.
_LOCK = text("LOCK TABLE mirpipe.encoder, mirpipe.metric IN SHARE MODE NOWAIT")
_DELETE_COMPLETE = text(
    "DELETE FROM mirpipe.unsettled_track u WHERE "
    + " AND ".join(
        f"NOT EXISTS (SELECT FROM mirpipe.{view} p WHERE p.track_id = u.track_id)"
        for view in _VIEWS
    )
)
_MISSING = " UNION ".join(
    f"SELECT track_id FROM mirpipe.{view} p WHERE NOT EXISTS "
    "(SELECT FROM mirpipe.unsettled_track u WHERE u.track_id = p.track_id)"
    for view in _VIEWS
)
_COUNT_MISSING = text(f"SELECT count(*) FROM ({_MISSING}) missing")
_ADD_MISSING = text(f"INSERT INTO mirpipe.unsettled_track {_MISSING}")


def delete_complete(connection: Connection) -> bool:
    """Delete the tracks without pending work from the list, and return True.

    The transaction must be READ COMMITTED. If another transaction is configuring a plug-in, roll
    back and return False. The list is then too long until the next call.
    """
    try:
        connection.execute(_LOCK)
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        connection.rollback()
        return False
    connection.execute(_DELETE_COMPLETE)
    return True


def count_missing(connection: Connection) -> int:
    """Return how many tracks with pending work are not in the list. It should be 0."""
    return int(connection.execute(_COUNT_MISSING).scalar_one())


def add_missing(connection: Connection) -> None:
    """Add the tracks with pending work that are not in the list."""
    connection.execute(_ADD_MISSING)
