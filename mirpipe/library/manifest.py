"""Reads a manifest: a CSV file with the titles and labels of tracks, one row per file.

The column `path` is required. The columns `title` and `collection` are optional; a row with a
collection applies only to that collection. Every other column becomes a label. The encoding is
UTF-8, with or without a byte order mark.
"""

import csv
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path

from mirpipe.errors import ConfigurationError
from mirpipe.library.genres import join_genres, split_genres
from mirpipe.library.manifest_matching import Manifest, ManifestRow
from mirpipe.records import COLLECTIONS, Collection


def read_manifest(path: Path, collection: Collection) -> Manifest:
    """Return the rows of the manifest that apply to `collection`.

    Raises ConfigurationError if the manifest cannot be read or contains an error. The message
    includes the line number of an error.
    """
    rows: dict[str, ManifestRow] = {}
    for row, row_collection in _rows(path):
        if row_collection not in ("", collection):
            continue
        if row.path in rows:
            raise ConfigurationError(
                f"{path}, line {row.line}: the path {row.path!r} is already on line "
                f"{rows[row.path].line}. Delete one of the two lines."
            )
        rows[row.path] = row
    return Manifest(path.resolve().parent, list(rows.values()))


def _rows(path: Path) -> Iterator[tuple[ManifestRow, str]]:
    """Yield each row with its collection, which is empty if the row applies to all collections."""
    line = 1
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            _require_valid_columns(path, reader.fieldnames)
            for fields in reader:
                line = reader.line_num
                yield _parse_row(path, line, fields)
    except OSError as error:
        raise ConfigurationError(
            f"The manifest {path} cannot be read: {error.strerror}. Check its path and permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"The manifest {path} is not UTF-8 ({error}). Save it as UTF-8."
        ) from error
    except csv.Error as error:
        raise ConfigurationError(
            f"{path}, after line {line}: this is not valid CSV ({error}). Check the quotation "
            "marks."
        ) from error


def _require_valid_columns(path: Path, columns: Sequence[str] | None) -> None:
    if not columns or "path" not in columns:
        names = ", ".join(columns or ()) or "none"
        raise ConfigurationError(
            f"The manifest {path} has no column `path` (its columns: {names}). Write the column "
            "names on the first line, separated by commas."
        )
    if repeated := {column for column in columns if columns.count(column) > 1}:
        raise ConfigurationError(
            f"The manifest {path} has two columns with the same name: "
            f"{', '.join(sorted(repeated))}. Rename one of them."
        )


def _parse_row(path: Path, line: int, fields: dict[str, str]) -> tuple[ManifestRow, str]:
    if None in fields:
        raise ConfigurationError(
            f"{path}, line {line}: there are more fields than columns. Put quotation marks around "
            "each field that contains a comma."
        )
    values = {column.strip(): (value or "").strip() for column, value in fields.items()}
    if any("\0" in value for value in values.values()):
        raise ConfigurationError(
            f"{path}, line {line}: there is a NUL character. Save the file as plain text."
        )
    collection = values.pop("collection", "")
    if collection not in ("", *COLLECTIONS):
        raise ConfigurationError(
            f"{path}, line {line}: there is no collection {collection!r}. Write one of "
            f"{', '.join(COLLECTIONS)}, or leave the field empty."
        )
    name, title = fields["path"], values.pop("title", "")
    if not name:
        raise ConfigurationError(
            f"{path}, line {line}: the path is empty. Add the path of a file, or delete the line."
        )
    labels = {column: value for column, value in values.items() if value and column != "path"}
    if "genre" in labels:
        labels["genre"] = join_genres(split_genres([labels["genre"]]))
    return ManifestRow(posixpath.normpath(name), line, title, labels), collection
