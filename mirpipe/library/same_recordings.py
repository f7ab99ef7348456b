"""Compares new fingerprints with all others, to find tracks that contain the same recording."""

from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.store import same_recordings

BATCH_TRACKS = 64
"""Tracks per transaction. After a run is killed, at most this many must be compared again."""


def find_same_recordings(*, rebuild: bool = False) -> int:
    """Compare the fingerprints that are new or have changed, and return the number of pairs found.

    If `rebuild` is true, all fingerprints are compared, and pairs without fingerprints are deleted.
    Only one process does this at a time, because it reads fingerprints that it has not locked. If
    another process changes one of them meanwhile, that one is compared again, and its pairs are
    replaced.
    """
    with engine("app").connect() as connection:
        if not rebuild and not same_recordings.count_changes(connection):
            return 0
    with hold_lock("same_recordings"):
        if rebuild:
            with engine("app").begin() as connection:
                same_recordings.compare_all_again(connection)
        found = set[tuple[int, int]]()
        while True:
            with engine("app").begin() as connection:
                batch = same_recordings.lock_changes(connection, most=BATCH_TRACKS)
                for track in batch:
                    pairs = list(same_recordings.find_pairs(connection, track))
                    same_recordings.replace_pairs(connection, track.track_id, pairs)
                    found.update((pair.track_id, pair.other_id) for pair in pairs)
            if len(batch) < BATCH_TRACKS:
                return len(found)
