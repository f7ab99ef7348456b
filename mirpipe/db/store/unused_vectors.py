"""Deletes vectors that are not needed any more: of replaced encoder revisions and removed tracks.

The neighbour lists and the sums for z depend on the vectors. After every transaction, `retrieve`
can bring them up to date, even if the revision is configured again or a track returns meanwhile.
"""

from sqlalchemy import Connection, text

from mirpipe.db.store import (
    cosine_moments,
    embedding_queue,
    neighbour_list_changes,
    retention_rules,
)
from mirpipe.db.store.retention_rules import REMOVED_TRACK, REPLACED_ENCODER, condition_of

_LIST_TABLES = (
    *("neighbour", "neighbour_state", "background_member", "background_moment"),
    "embedding_change",
)
_HAS_LISTS = text("""
    SELECT EXISTS (SELECT FROM mirpipe.neighbour_state WHERE encoder_id = :encoder_id)
        OR EXISTS (SELECT FROM mirpipe.background_moment WHERE encoder_id = :encoder_id)
""")
_VECTORS_OF_ENCODER = text(
    "SELECT track_id FROM mirpipe.embedding WHERE encoder_id = :encoder_id LIMIT :limit"
)
_DELETE_VECTORS = text(
    "DELETE FROM mirpipe.embedding WHERE encoder_id = :encoder_id AND track_id = ANY(:track_ids)"
)
_DELETE_CHANGES_WITHOUT_VECTOR = text("""
    DELETE FROM mirpipe.embedding_change c WHERE c.encoder_id = :encoder_id AND NOT EXISTS (
        SELECT FROM mirpipe.embedding v
        WHERE v.encoder_id = c.encoder_id AND v.track_id = c.track_id)
""")
# The vector of a removed track is kept while it is in lists or sums: until `retrieve` has processed
# the queued change, and for a replaced revision until its lists are deleted.
_REMOVED_TRACKS = """
    v.track_id IN (SELECT t.track_id FROM mirpipe.track t WHERE {removed})
    AND NOT EXISTS (
        SELECT FROM mirpipe.embedding_change c
        WHERE c.encoder_id = v.encoder_id AND c.track_id = v.track_id)
    AND NOT EXISTS (
        SELECT FROM mirpipe.background_member m
        WHERE m.encoder_id = v.encoder_id AND m.track_id = v.track_id)
    AND NOT EXISTS (
        SELECT FROM mirpipe.neighbour_state s
        WHERE s.encoder_id = v.encoder_id AND s.target_id = v.track_id)
"""


def replaced_encoders(connection: Connection, days: int) -> list[int]:
    """Return the ids of the revisions that were replaced at least this many days ago."""
    query = f"SELECT e.encoder_id FROM mirpipe.encoder e WHERE {_replaced(days)} ORDER BY 1"
    return list(connection.execute(text(query)).scalars())


def count_vectors(connection: Connection, days: int) -> int:
    """Return the number of vectors that would be deleted."""
    query = f"""
        SELECT count(*) FROM mirpipe.embedding v
        WHERE v.encoder_id IN (SELECT e.encoder_id FROM mirpipe.encoder e WHERE {_replaced(days)})
           OR {_removed(days)}
    """
    return int(connection.execute(text(query)).scalar_one())


def count_rows_of_lists(connection: Connection, days: int) -> dict[str, int]:
    """Return the number of rows that would be deleted together with the vectors, by table."""
    counts = {}
    for table in _LIST_TABLES:
        query = f"""
            SELECT count(*) FROM mirpipe.{table} WHERE encoder_id IN (
                SELECT e.encoder_id FROM mirpipe.encoder e WHERE {_replaced(days)})
        """
        counts[table] = int(connection.execute(text(query)).scalar_one())
    return counts


def delete_lists(connection: Connection, encoder_id: int, days: int) -> bool:
    """Delete the lists and sums of a replaced revision, and return whether there were any.

    All its vectors are queued again, so that `retrieve` would rebuild the lists of the vectors that
    are left if the revision was configured again. Does nothing if that has already happened.
    """
    if not _lock_replaced(connection, encoder_id, days):
        return False
    neighbour_list_changes.lock_lists(connection, encoder_id)
    if not connection.execute(_HAS_LISTS, {"encoder_id": encoder_id}).scalar_one():
        return False
    cosine_moments.delete_moments(connection, encoder_id)
    neighbour_list_changes.delete_all_lists(connection, encoder_id)
    embedding_queue.queue_all_vectors(connection, encoder_id)
    return True


def delete_vectors_of_encoder(connection: Connection, encoder_id: int, days: int) -> int:
    """Delete one block of vectors of a replaced revision without lists. Return their number.

    When no vector is left, the changes that were queued for the revision are deleted, too.
    """
    if not _lock_replaced(connection, encoder_id, days):
        return 0
    parameters = {"encoder_id": encoder_id}
    block = parameters | {"limit": retention_rules.BLOCK_ROWS}
    track_ids = list(connection.execute(_VECTORS_OF_ENCODER, block).scalars())
    if not track_ids:
        connection.execute(_DELETE_CHANGES_WITHOUT_VECTOR, parameters)
        return 0
    return _delete(connection, encoder_id, track_ids)


def delete_vectors_of_removed_tracks(connection: Connection, days: int) -> int:
    """Delete one block of vectors of removed tracks, and return their number.

    The tracks are locked, so that none of them can return before the transaction ends.
    """
    candidates = f"SELECT v.encoder_id, v.track_id FROM mirpipe.embedding v WHERE {_removed(days)}"
    limit = {"limit": retention_rules.BLOCK_ROWS}
    rows = connection.execute(text(f"{candidates} LIMIT :limit"), limit).all()
    lock = f"""
        SELECT t.track_id FROM mirpipe.track t
        WHERE t.track_id = ANY(:track_ids) AND {condition_of(REMOVED_TRACK, days)}
        ORDER BY t.track_id FOR UPDATE
    """
    track_ids = sorted({row.track_id for row in rows})
    locked = set(connection.execute(text(lock), {"track_ids": track_ids}).scalars())
    # The candidates are selected again, because a track may have returned before it was locked.
    recheck = text(f"{candidates} AND v.track_id = ANY(:track_ids) LIMIT :limit")
    by_encoder: dict[int, list[int]] = {}
    for row in connection.execute(recheck, limit | {"track_ids": sorted(locked)}):
        by_encoder.setdefault(row.encoder_id, []).append(row.track_id)
    return sum(_delete(connection, encoder_id, ids) for encoder_id, ids in by_encoder.items())


def _delete(connection: Connection, encoder_id: int, track_ids: list[int]) -> int:
    """Delete these vectors, and the changes that the deletion queues: no list contains them."""
    parameters = {"encoder_id": encoder_id, "track_ids": track_ids}
    deleted = connection.execute(_DELETE_VECTORS, parameters).rowcount
    embedding_queue.delete_changes(connection, encoder_id, track_ids)
    return deleted


def _lock_replaced(connection: Connection, encoder_id: int, days: int) -> bool:
    """Lock the revision, and return whether it is still replaced."""
    query = f"""
        SELECT FROM mirpipe.encoder e WHERE e.encoder_id = :encoder_id AND {_replaced(days)}
        FOR NO KEY UPDATE OF e
    """
    return connection.execute(text(query), {"encoder_id": encoder_id}).one_or_none() is not None


def _replaced(days: int) -> str:
    return str(condition_of(REPLACED_ENCODER, days))


def _removed(days: int) -> str:
    return _REMOVED_TRACKS.format(removed=condition_of(REMOVED_TRACK, days))
