"""Stores the files of each track, and rejected files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from mirpipe.db.store.file_tags import to_json
from mirpipe.records import Collection

_TRACK_IDS = text(
    "SELECT DISTINCT track_id FROM mirpipe.track_file "
    "WHERE collection = :collection AND path = ANY(:paths) AND track_id IS NOT NULL"
)
_EXISTING_PATHS = text(
    "SELECT track_id, path FROM mirpipe.track_file "
    "WHERE track_id = ANY(:track_ids) AND gone_at IS NULL ORDER BY track_id, path"
)
_WRITE = text(
    "INSERT INTO mirpipe.track_file AS existing "
    "(collection, path, path_text, track_id, bytes, mtime_ns, ctime_ns, file_sha256, reason, tags, "
    "undecoded_tags) "
    "VALUES (:collection, :path, :path_text, (SELECT track_id FROM mirpipe.track "
    "WHERE collection = :collection AND content_sha256 = :content_sha256), "
    ":bytes, :mtime_ns, :ctime_ns, :file_sha256, :reason, CAST(:tags AS jsonb), "
    "CAST(:undecoded_tags AS jsonb)) "
    "ON CONFLICT (collection, path) DO UPDATE SET track_id = excluded.track_id, "
    "bytes = excluded.bytes, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, "
    "file_sha256 = excluded.file_sha256, reason = excluded.reason, tags = excluded.tags, "
    "undecoded_tags = excluded.undecoded_tags, tag_encoding = NULL, tag_encoding_guessed = NULL, "
    "gone_at = NULL, seen_at = now()"
)
_MARK_CHANGED = text("UPDATE mirpipe.track_file SET ctime_ns = NULL WHERE path = :path")
# A file without an encoding makes ingest guess the encoding of its folder again.
_MARK_EXISTING = text(
    "UPDATE mirpipe.track_file SET gone_at = NULL, seen_at = now(), tag_encoding = NULL, "
    "tag_encoding_guessed = NULL "
    "WHERE collection = :collection AND path = ANY(:paths) AND gone_at IS NOT NULL"
)
_MARK_GONE = text(
    "UPDATE mirpipe.track_file SET gone_at = now(), tag_encoding = NULL, "
    "tag_encoding_guessed = NULL WHERE collection = :collection "
    "AND path = ANY(:paths) AND gone_at IS NULL AND track_id IS NOT NULL"
)
_DELETE_REJECTED = text(
    "DELETE FROM mirpipe.track_file "
    "WHERE collection = :collection AND path = ANY(:paths) AND track_id IS NULL"
)


@dataclass(frozen=True)
class SeenFile:
    """A file that ingest has read, with its content hash or the reason why it was rejected."""

    path: bytes
    """Absolute path."""
    path_text: str
    """Path as text, for display."""
    size: int
    """Size in bytes."""
    mtime_ns: int
    """Modification time, in nanoseconds since 1970."""
    ctime_ns: int
    """Time of the last change of content or properties, in nanoseconds since 1970."""
    content_sha256: bytes | None
    """Content hash of the track. None if the file was rejected."""
    reason: str | None
    """Code of the reason for the rejection. None if the file has a track."""
    file_sha256: bytes | None = None
    """SHA-256 of the file's bytes, 32 bytes. None if the file could not be read."""
    tags: Mapping[str, Sequence[str]] | None = None
    """Tag values whose encoding is certain, by field. None if the tags were not read."""
    undecoded_tags: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    """Tag values whose encoding is not certain, by field."""


def track_ids_of(
    connection: Connection, collection: Collection, paths: Sequence[bytes]
) -> set[int]:
    """Return the ids of the tracks that these files had when they were last read."""
    parameters = {"collection": collection, "paths": list(paths)}
    return set(connection.execute(_TRACK_IDS, parameters).scalars())


def existing_paths(connection: Connection, track_ids: Sequence[int]) -> dict[int, list[bytes]]:
    """Return the paths of these tracks' files that are not marked as gone, by track id."""
    paths: dict[int, list[bytes]] = {}
    for row in connection.execute(_EXISTING_PATHS, {"track_ids": list(track_ids)}):
        paths.setdefault(row.track_id, []).append(bytes(row.path))
    return paths


def write(connection: Connection, collection: Collection, files: Sequence[SeenFile]) -> None:
    """Store files that ingest has read. Their tracks must already be stored."""
    for file in sorted(files, key=lambda file: file.path):
        connection.execute(
            _WRITE,
            {
                "collection": collection,
                "path": file.path,
                "path_text": file.path_text,
                "content_sha256": file.content_sha256,
                "bytes": file.size,
                "mtime_ns": file.mtime_ns,
                "ctime_ns": file.ctime_ns,
                "file_sha256": file.file_sha256,
                "reason": file.reason,
                "tags": None if file.tags is None else json.dumps(dict(file.tags)),
                "undecoded_tags": to_json(file.undecoded_tags) if file.undecoded_tags else None,
            },
        )


def mark_changed(connection: Connection, path: bytes) -> None:
    """Make the next ingest read the file at this path, even if its size and times stay the same."""
    connection.execute(_MARK_CHANGED, {"path": path})


def mark_existing(connection: Connection, collection: Collection, paths: Sequence[bytes]) -> None:
    """Mark missing files that have reappeared with unchanged content as existing."""
    connection.execute(_MARK_EXISTING, {"collection": collection, "paths": list(paths)})


def mark_gone(connection: Connection, collection: Collection, paths: Sequence[bytes]) -> None:
    """Mark files that no longer exist as gone. Records of rejected files are deleted instead."""
    parameters = {"collection": collection, "paths": list(paths)}
    connection.execute(_MARK_GONE, parameters)
    connection.execute(_DELETE_REJECTED, parameters)
