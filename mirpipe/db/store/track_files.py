"""Stores the files of each track, and rejected files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

from mirpipe.records import Collection

# Prefixes are not compared with LIKE, because file names may contain LIKE wildcards.
_KNOWN = text(
    "SELECT f.path, f.bytes, f.mtime_ns, f.track_id, f.reason, f.gone_at IS NOT NULL AS gone, "
    "coalesce(l.attempts > 1 AND now() < l.last_seen + least(CAST(:longest_delay AS interval), "
    "CAST(:first_delay AS interval) * power(2, least(l.attempts, 30) - 2)), false) AS waits "
    "FROM mirpipe.track_file f LEFT JOIN mirpipe.failure l "
    "ON l.stage = 'ingest' AND l.revision = '' AND l.subject = f.path_text "
    "WHERE f.collection = :collection AND (f.path = ANY(:roots) OR EXISTS ("
    "SELECT FROM unnest(CAST(:prefixes AS bytea[])) AS p (prefix) "
    "WHERE substring(f.path FOR octet_length(p.prefix)) = p.prefix))"
)
FIRST_DELAY = timedelta(minutes=15)
"""Time between the second and the third attempt to read a file. It doubles with each attempt."""
LONGEST_DELAY = timedelta(hours=6)
_TRACK_IDS = text(
    "SELECT DISTINCT track_id FROM mirpipe.track_file "
    "WHERE collection = :collection AND path = ANY(:paths) AND track_id IS NOT NULL"
)
_WRITE = text(
    "INSERT INTO mirpipe.track_file AS existing "
    "(collection, path, path_text, track_id, bytes, mtime_ns, reason) "
    "VALUES (:collection, :path, :path_text, (SELECT track_id FROM mirpipe.track "
    "WHERE collection = :collection AND content_sha256 = :content_sha256), "
    ":bytes, :mtime_ns, :reason) "
    "ON CONFLICT (collection, path) DO UPDATE SET track_id = excluded.track_id, "
    "bytes = excluded.bytes, mtime_ns = excluded.mtime_ns, reason = excluded.reason, "
    "gone_at = NULL, seen_at = now()"
)
_MARK_EXISTING = text(
    "UPDATE mirpipe.track_file SET gone_at = NULL, seen_at = now() "
    "WHERE collection = :collection AND path = ANY(:paths) AND gone_at IS NOT NULL"
)
_MARK_GONE = text(
    "UPDATE mirpipe.track_file SET gone_at = now() WHERE collection = :collection "
    "AND path = ANY(:paths) AND gone_at IS NULL AND track_id IS NOT NULL"
)
_DELETE_REJECTED = text(
    "DELETE FROM mirpipe.track_file "
    "WHERE collection = :collection AND path = ANY(:paths) AND track_id IS NULL"
)


@dataclass(frozen=True)
class KnownFile:
    """A file, in the state that the last ingest stored."""

    size: int
    """Size in bytes."""
    mtime_ns: int
    """Modification time, in nanoseconds since 1970."""
    track_id: int | None
    """Id of the file's track. None if the file was rejected."""
    reason: str | None
    """Code of the reason for the rejection. None if the file has a track."""
    gone: bool
    """Whether the file has disappeared since it was read."""
    waits: bool
    """Whether it is too early to try again to read a file that could not be read."""


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
    content_sha256: bytes | None
    """Content hash of the track. None if the file was rejected."""
    reason: str | None
    """Code of the reason for the rejection. None if the file has a track."""


def read_known_files(
    connection: Connection, collection: Collection, roots: Sequence[bytes]
) -> dict[bytes, KnownFile]:
    """Return all stored files at or under `roots` by absolute path, including missing files."""
    rows = connection.execute(
        _KNOWN,
        {
            "collection": collection,
            "roots": list(roots),
            "prefixes": [root.rstrip(b"/") + b"/" for root in roots],
            "first_delay": FIRST_DELAY,
            "longest_delay": LONGEST_DELAY,
        },
    )
    return {
        bytes(row.path): KnownFile(
            row.bytes, row.mtime_ns, row.track_id, row.reason, row.gone, row.waits
        )
        for row in rows
    }


def track_ids_of(
    connection: Connection, collection: Collection, paths: Sequence[bytes]
) -> set[int]:
    """Return the ids of the tracks that these files had when they were last read."""
    parameters = {"collection": collection, "paths": list(paths)}
    return set(connection.execute(_TRACK_IDS, parameters).scalars())


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
                "reason": file.reason,
            },
        )


def mark_existing(connection: Connection, collection: Collection, paths: Sequence[bytes]) -> None:
    """Mark missing files that have reappeared with unchanged content as existing."""
    connection.execute(_MARK_EXISTING, {"collection": collection, "paths": list(paths)})


def mark_gone(connection: Connection, collection: Collection, paths: Sequence[bytes]) -> None:
    """Mark files that no longer exist as gone. Records of rejected files are deleted instead."""
    parameters = {"collection": collection, "paths": list(paths)}
    connection.execute(_MARK_GONE, parameters)
    connection.execute(_DELETE_REJECTED, parameters)
