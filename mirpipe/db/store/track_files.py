"""The files that ingest knows: where each track lies, and which names hold nothing usable."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.records import Collection

# A prefix by length, not by LIKE: names hold wildcards.
_KNOWN = text(
    "SELECT path, bytes, mtime_ns, track_id, reason, gone_at IS NOT NULL AS gone "
    "FROM mirpipe.track_file f WHERE collection = :collection AND (path = ANY(:roots) OR EXISTS ("
    "SELECT FROM unnest(CAST(:prefixes AS bytea[])) AS p (prefix) "
    "WHERE substring(f.path FOR octet_length(p.prefix)) = p.prefix))"
)
_OWNERS = text(
    "SELECT DISTINCT track_id FROM mirpipe.track_file "
    "WHERE collection = :collection AND path = ANY(:paths) AND track_id IS NOT NULL"
)
_WRITE = text(
    "INSERT INTO mirpipe.track_file AS known "
    "(collection, path, path_text, track_id, bytes, mtime_ns, reason) "
    "VALUES (:collection, :path, :path_text, (SELECT track_id FROM mirpipe.track "
    "WHERE collection = :collection AND content_sha256 = :content_sha256), "
    ":bytes, :mtime_ns, :reason) "
    "ON CONFLICT (collection, path) DO UPDATE SET track_id = excluded.track_id, "
    "bytes = excluded.bytes, mtime_ns = excluded.mtime_ns, reason = excluded.reason, "
    "gone_at = NULL, seen_at = now()"
)
_RETURN = text(
    "UPDATE mirpipe.track_file SET gone_at = NULL, seen_at = now() "
    "WHERE collection = :collection AND path = ANY(:paths) AND gone_at IS NOT NULL"
)
_LEAVE = text(
    "UPDATE mirpipe.track_file SET gone_at = now() WHERE collection = :collection "
    "AND path = ANY(:paths) AND gone_at IS NULL AND track_id IS NOT NULL"
)
_FORGET = text(
    "DELETE FROM mirpipe.track_file "
    "WHERE collection = :collection AND path = ANY(:paths) AND track_id IS NULL"
)


@dataclass(frozen=True)
class KnownFile:
    """A file as the last ingest left it."""

    size: int
    mtime_ns: int
    track_id: int | None
    reason: str | None
    """Why it was rejected; None where it holds a track."""
    gone: bool


@dataclass(frozen=True)
class SeenFile:
    """A file that was just read: it holds a track, or there is a reason why not."""

    path: bytes
    path_text: str
    size: int
    mtime_ns: int
    content_sha256: bytes | None
    reason: str | None


def known(
    connection: Connection, collection: Collection, roots: Sequence[bytes]
) -> dict[bytes, KnownFile]:
    """Every file seen in or at `roots` so far, gone ones included, by absolute path."""
    rows = connection.execute(
        _KNOWN,
        {
            "collection": collection,
            "roots": list(roots),
            "prefixes": [root.rstrip(b"/") + b"/" for root in roots],
        },
    )
    return {
        bytes(row.path): KnownFile(row.bytes, row.mtime_ns, row.track_id, row.reason, row.gone)
        for row in rows
    }


def owners(connection: Connection, collection: Collection, paths: Sequence[bytes]) -> set[int]:
    """Ids of the tracks that these files held when they were last seen."""
    asked = {"collection": collection, "paths": list(paths)}
    return set(connection.execute(_OWNERS, asked).scalars())


def write(connection: Connection, collection: Collection, files: Sequence[SeenFile]) -> None:
    """Stores files that were read; their tracks are there already."""
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


def bring_back(connection: Connection, collection: Collection, paths: Sequence[bytes]) -> None:
    """Marks files that were gone, and are as they were, as there again."""
    connection.execute(_RETURN, {"collection": collection, "paths": list(paths)})


def leave(connection: Connection, collection: Collection, paths: Sequence[bytes]) -> None:
    """Marks vanished files as gone; those that never held a track are forgotten."""
    asked = {"collection": collection, "paths": list(paths)}
    connection.execute(_LEAVE, asked)
    connection.execute(_FORGET, asked)
