"""Gives tracks that are identified by a file's bytes the identity of their audio.

Such tracks were ingested by an earlier version, or without ffmpeg. They keep their id and all their
results. If two tracks turn out to be the same audio, the older one gets the files of the other.
"""

import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection, text

from mirpipe.records import Collection, ContentKind

_IDENTIFIED_BY_FILE = text(
    "SELECT track_id, content_sha256 FROM mirpipe.track WHERE collection = :collection "
    "AND content_kind = 'file' AND content_sha256 = ANY(:hashes) ORDER BY track_id FOR UPDATE"
)
_WITH_IDENTITY = text(
    "SELECT track_id FROM mirpipe.track "
    "WHERE collection = :collection AND content_sha256 = :content_sha256 FOR UPDATE"
)
_SET_IDENTITY = text(
    "UPDATE mirpipe.track SET content_sha256 = :content_sha256, content_kind = :content_kind "
    "WHERE track_id = :track_id"
)
_MOVE_FILES = text("UPDATE mirpipe.track_file SET track_id = :kept WHERE track_id = :dropped")
_DROP_WITHOUT_AUDIO = text(
    "UPDATE mirpipe.track SET state = 'gone', changed_at = now() "
    "WHERE track_id = :dropped AND NOT has_audio AND state = 'ok'"
)
# A failure's subject starts with the collection and the content hash of its track.
_DELETE_FAILURES = text("DELETE FROM mirpipe.failure WHERE track_id = :dropped")
_RENAME_FAILURES = text(
    "UPDATE mirpipe.failure SET subject = :new || substr(subject, length(:old) + 1) "
    "WHERE track_id = :track_id AND starts_with(subject, :old)"
)


def identify_tracks(
    connection: Connection,
    collection: Collection,
    identities: Mapping[bytes, tuple[bytes, ContentKind]],
) -> set[int]:
    """Replace file hashes by audio hashes, and return the ids of the tracks that have changed.

    `identities` contains the hash and the kind of the audio, by file hash. A track that has lost
    its files to an older track stays, and is gone once `tracks.update_states` has been called.
    """
    changed: set[int] = set()
    parameters = {"collection": collection, "hashes": list(identities)}
    for track_id, file_sha256 in connection.execute(_IDENTIFIED_BY_FILE, parameters).all():
        old = bytes(file_sha256)
        new, kind = identities[old]
        same_audio = {"collection": collection, "content_sha256": new}
        other_id = connection.execute(_WITH_IDENTITY, same_audio).scalar_one_or_none()
        if other_id is not None:
            _move_files(connection, kept=min(track_id, other_id), dropped=max(track_id, other_id))
            changed.add(other_id)
        if other_id is None or track_id < other_id:
            if other_id is not None:
                # A hash is unique in its collection, so the two tracks swap their hashes.
                _set_identity(connection, other_id, hashlib.sha256(old + new).digest(), "file")
            _set_identity(connection, track_id, new, kind)
            names = {"old": f"{collection}:{old.hex()}", "new": f"{collection}:{new.hex()}"}
            connection.execute(_RENAME_FAILURES, names | {"track_id": track_id})
            if other_id is not None:
                _set_identity(connection, other_id, old, "file")
        changed.add(track_id)
    return changed


def _move_files(connection: Connection, *, kept: int, dropped: int) -> None:
    connection.execute(_MOVE_FILES, {"kept": kept, "dropped": dropped})
    connection.execute(_DROP_WITHOUT_AUDIO, {"dropped": dropped})
    connection.execute(_DELETE_FAILURES, {"dropped": dropped})


def _set_identity(
    connection: Connection, track_id: int, content_sha256: bytes, kind: ContentKind
) -> None:
    connection.execute(
        _SET_IDENTITY,
        {"track_id": track_id, "content_sha256": content_sha256, "content_kind": kind},
    )
