"""Stores the files of each track, and rejected files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from mirpipe.db.store.file_tags import to_json
from mirpipe.records import Collection, TitleAndLabels

_TRACK_IDS = text(
    "SELECT DISTINCT track_id FROM mirpipe.track_file "
    "WHERE collection = :collection AND path = ANY(:paths) AND track_id IS NOT NULL"
)
_EXISTING_FILES = text(
    "SELECT track_id, path, file_sha256 FROM mirpipe.track_file "
    "WHERE track_id = ANY(:track_ids) AND gone_at IS NULL ORDER BY track_id, path"
)
_WRITE_ROWS = text(
    "UPDATE mirpipe.track_file f SET manifest_row = new.manifest_row "
    "FROM unnest(CAST(:paths AS bytea[]), CAST(CAST(:rows AS text[]) AS jsonb[])) "
    "AS new (path, manifest_row) WHERE f.collection = :collection AND f.path = new.path"
)
_INHERITED = text(
    "SELECT path, manifest_row FROM mirpipe.track_file WHERE collection = :collection "
    "AND path = ANY(:paths) AND manifest_row ? 'is_inherited'"
)
_SETTLE_INHERITED = text(
    "UPDATE mirpipe.track_file SET manifest_row = "
    "CASE WHEN path = ANY(:from_tags) THEN NULL ELSE manifest_row - 'is_inherited' END "
    "WHERE collection = :collection AND path = ANY(:paths) AND manifest_row ? 'is_inherited'"
)
_WRITE = text(
    "INSERT INTO mirpipe.track_file AS existing "
    "(collection, path, path_text, track_id, bytes, mtime_ns, ctime_ns, etag, file_sha256, format, "
    "reason, tags, undecoded_tags, manifest_row) "
    "VALUES (:collection, :path, :path_text, (SELECT track_id FROM mirpipe.track "
    "WHERE collection = :collection AND content_sha256 = :content_sha256), "
    ":bytes, :mtime_ns, :ctime_ns, :etag, :file_sha256, :format, :reason, CAST(:tags AS jsonb), "
    "CAST(:undecoded_tags AS jsonb), CAST(:manifest_row AS jsonb)) "
    "ON CONFLICT (collection, path) DO UPDATE SET track_id = excluded.track_id, "
    "bytes = excluded.bytes, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, "
    "etag = excluded.etag, format = excluded.format, "
    "file_sha256 = excluded.file_sha256, reason = excluded.reason, tags = excluded.tags, "
    "undecoded_tags = excluded.undecoded_tags, tag_encoding = NULL, tag_encoding_guessed = NULL, "
    "manifest_row = coalesce(excluded.manifest_row, existing.manifest_row), "
    "gone_at = NULL, seen_at = now()"
)
_WRITE_FORMAT = text(
    "UPDATE mirpipe.track_file SET format = :format "
    "WHERE path = :path AND file_sha256 = :file_sha256 AND format IS DISTINCT FROM :format"
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
    format: str | None = None
    """Container format, detected from the content. None if the file was rejected."""
    tags: Mapping[str, Sequence[str]] | None = None
    """Tag values whose encoding is certain, by field. None if the tags were not read."""
    undecoded_tags: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    """Tag values whose encoding is not certain, by field."""
    manifest_row: TitleAndLabels | None = None
    """The file's row in the manifest. None keeps the stored row."""
    etag: str | None = None
    """ETag of an object in S3. None for a local file and for a clip."""


def track_ids_of(
    connection: Connection, collection: Collection, paths: Sequence[bytes]
) -> set[int]:
    """Return the ids of the tracks that these files had when they were last read."""
    parameters = {"collection": collection, "paths": list(paths)}
    return set(connection.execute(_TRACK_IDS, parameters).scalars())


def existing_files(
    connection: Connection, track_ids: Sequence[int]
) -> dict[int, dict[bytes, bytes | None]]:
    """Return the hashes of these tracks' files that are not gone, by track id and path."""
    files: dict[int, dict[bytes, bytes | None]] = {}
    for row in connection.execute(_EXISTING_FILES, {"track_ids": list(track_ids)}):
        digest = None if row.file_sha256 is None else bytes(row.file_sha256)
        files.setdefault(row.track_id, {})[bytes(row.path)] = digest
    return files


def write_manifest_rows(
    connection: Connection, collection: Collection, rows: Mapping[bytes, TitleAndLabels]
) -> None:
    """Store the manifest rows of files, by path."""
    values = [_row_json(row) for row in rows.values()]
    parameters = {"collection": collection, "paths": list(rows), "rows": values}
    connection.execute(_WRITE_ROWS, parameters)


def inherited_rows(
    connection: Connection, collection: Collection, paths: Sequence[bytes]
) -> dict[bytes, TitleAndLabels]:
    """Return the titles and labels of files' tracks from before revision 0028, by path.

    It is not known whether they come from a manifest or from tags.
    """
    rows = connection.execute(_INHERITED, {"collection": collection, "paths": list(paths)})
    return {
        bytes(row.path): TitleAndLabels(row.manifest_row["title"], row.manifest_row["labels"])
        for row in rows
    }


def settle_inherited_rows(
    connection: Connection,
    collection: Collection,
    paths: Sequence[bytes],
    from_tags: Sequence[bytes],
) -> None:
    """Delete the inherited rows that come from tags, and keep the other rows as manifest rows."""
    parameters = {"collection": collection, "paths": list(paths), "from_tags": list(from_tags)}
    connection.execute(_SETTLE_INHERITED, parameters)


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
                "etag": file.etag,
                "file_sha256": file.file_sha256,
                "format": file.format,
                "reason": file.reason,
                "manifest_row": None if file.manifest_row is None else _row_json(file.manifest_row),
                "tags": None if file.tags is None else json.dumps(dict(file.tags)),
                "undecoded_tags": to_json(file.undecoded_tags) if file.undecoded_tags else None,
            },
        )


def write_format(connection: Connection, path: bytes, file_sha256: bytes, format: str) -> None:
    """Store the container format of a file that was read again and has these bytes."""
    parameters = {"path": path, "file_sha256": file_sha256, "format": format}
    connection.execute(_WRITE_FORMAT, parameters)


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


def _row_json(row: TitleAndLabels) -> str:
    return json.dumps({"title": row.title, "labels": dict(row.labels)})
