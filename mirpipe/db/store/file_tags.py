"""Stores the encoding of files' tags, and reads the tags that need one.

Bytes are stored as text with one Latin-1 character per byte, because JSON contains no bytes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from mirpipe.records import Collection, TitleAndLabels

_PATHS_TO_DECODE = text(
    "SELECT path FROM mirpipe.track_file WHERE collection = :collection "
    "AND undecoded_tags IS NOT NULL AND tag_encoding IS NULL"
)
_UNDECODED_PATHS = text(
    "SELECT path FROM mirpipe.track_file WHERE collection = :collection "
    "AND undecoded_tags IS NOT NULL ORDER BY path"
)
_COLUMNS = "f.path, f.track_id, f.tags, f.undecoded_tags, f.tag_encoding, f.manifest_row"
_UNDECODED_FILES = text(
    f"SELECT {_COLUMNS}, f.gone_at IS NOT NULL AS is_gone FROM mirpipe.track_file f "
    "WHERE collection = :collection AND path = ANY(:paths) AND undecoded_tags IS NOT NULL "
    "ORDER BY path"
)
_EXISTING_FILES = text(
    f"SELECT {_COLUMNS}, false AS is_gone FROM mirpipe.track_file f "
    "WHERE f.track_id = ANY(:track_ids) AND f.gone_at IS NULL ORDER BY f.track_id, f.path"
)
_WRITE_ENCODING = text(
    "UPDATE mirpipe.track_file SET tag_encoding = :encoding, tag_encoding_guessed = :guessed "
    "WHERE collection = :collection AND path = ANY(:paths)"
)
_RESET = text(
    "UPDATE mirpipe.track_file SET tag_encoding = NULL, tag_encoding_guessed = NULL "
    "WHERE undecoded_tags IS NOT NULL AND substring(path FOR octet_length(:prefix)) = :prefix"
)
_SETTINGS = text("SELECT folder, encoding FROM mirpipe.folder_encoding")
_SET = text(
    "INSERT INTO mirpipe.folder_encoding (folder, folder_text, encoding) "
    "VALUES (:folder, :folder_text, :encoding) "
    "ON CONFLICT (folder) DO UPDATE SET encoding = excluded.encoding"
)
_UNSET = text("DELETE FROM mirpipe.folder_encoding WHERE folder = :folder")


@dataclass(frozen=True)
class StoredTags:
    """The tags of a file, as ingest stored them."""

    path: bytes
    track_id: int | None
    texts: dict[str, tuple[str, ...]]
    """Values whose encoding is certain, by field."""
    undecoded: dict[str, tuple[bytes, ...]]
    """Values whose encoding is not certain, by field."""
    encoding: str | None
    """Encoding of the undecoded values. None if there are none, or if it is not yet known."""
    manifest_row: TitleAndLabels | None
    """The file's row in the manifest. None if there is no row."""
    is_gone: bool
    """Whether the file no longer exists."""


def to_json(undecoded: Mapping[str, Sequence[bytes]]) -> str:
    """Return undecoded values as JSON."""
    return json.dumps(
        {name: [value.decode("latin-1") for value in values] for name, values in undecoded.items()}
    )


def undecoded_from_json(stored: Mapping[str, Sequence[str]] | None) -> dict[str, tuple[bytes, ...]]:
    """Return the undecoded values that were stored as JSON."""
    return {
        name: tuple(value.encode("latin-1") for value in values)
        for name, values in (stored or {}).items()
    }


def folder_of(path: bytes) -> bytes:
    """Return the folder that contains a file."""
    return path.rpartition(b"/")[0]


def paths_to_decode(connection: Connection, collection: Collection) -> dict[bytes, list[bytes]]:
    """Return the files with undecoded tags, by folder, in all folders that need a new guess."""
    parameters = {"collection": collection}
    pending = {
        folder_of(bytes(path))
        for path in connection.execute(_PATHS_TO_DECODE, parameters).scalars()
    }
    paths: dict[bytes, list[bytes]] = {folder: [] for folder in sorted(pending)}
    if paths:
        for path in map(bytes, connection.execute(_UNDECODED_PATHS, parameters).scalars()):
            if folder_of(path) in paths:
                paths[folder_of(path)].append(path)
    return paths


def read_undecoded(
    connection: Connection, collection: Collection, paths: Sequence[bytes]
) -> list[StoredTags]:
    """Return the tags of the files that have undecoded values, sorted by path."""
    rows = connection.execute(_UNDECODED_FILES, {"collection": collection, "paths": list(paths)})
    return [_stored_tags(row) for row in rows]


def read_existing(connection: Connection, track_ids: set[int]) -> dict[int, list[StoredTags]]:
    """Return the tags of these tracks' existing files, by track id, sorted by path."""
    files: dict[int, list[StoredTags]] = {}
    for row in connection.execute(_EXISTING_FILES, {"track_ids": sorted(track_ids)}):
        files.setdefault(row.track_id, []).append(_stored_tags(row))
    return files


def write_encoding(
    connection: Connection,
    collection: Collection,
    paths: Sequence[bytes],
    encoding: str,
    *,
    guessed: bool,
) -> None:
    """Store the encoding of these files' undecoded tags."""
    parameters = {"collection": collection, "paths": list(paths)}
    connection.execute(_WRITE_ENCODING, parameters | {"encoding": encoding, "guessed": guessed})


def read_settings(connection: Connection) -> dict[bytes, str]:
    """Return the encodings that a user has set, by folder."""
    return {bytes(row.folder): row.encoding for row in connection.execute(_SETTINGS)}


def write_setting(
    connection: Connection, folder: bytes, folder_text: str, encoding: str | None
) -> None:
    """Set the encoding of a folder, or delete the setting if `encoding` is None.

    The files in the folder and its subfolders then need a new decision.
    """
    values = {"folder": folder, "folder_text": folder_text, "encoding": encoding}
    connection.execute(_UNSET if encoding is None else _SET, values)
    connection.execute(_RESET, {"prefix": folder.rstrip(b"/") + b"/"})


def _stored_tags(row: Any) -> StoredTags:
    return StoredTags(
        bytes(row.path),
        row.track_id,
        {name: tuple(values) for name, values in (row.tags or {}).items()},
        undecoded_from_json(row.undecoded_tags),
        row.tag_encoding,
        row.manifest_row and TitleAndLabels(row.manifest_row["title"], row.manifest_row["labels"]),
        row.is_gone,
    )
