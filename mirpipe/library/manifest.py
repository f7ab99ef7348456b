"""Titles and labels from a CSV file: a row a track, found by the track's path.

Columns: `path` (relative to the manifest's folder or to the ingested one, or absolute), and, if
wanted, `title`, `collection` (a row holds for that collection alone) and any others, which become
labels. UTF-8, with or without a byte order mark.
"""

import csv
import os
import posixpath
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mirpipe.errors import ConfigurationError
from mirpipe.library.folder_scan import is_below
from mirpipe.records import COLLECTIONS, Collection


@dataclass(frozen=True)
class Row:
    """What the manifest says of one file."""

    path: str
    line: int
    title: str
    """Empty where the manifest leaves it open."""
    labels: dict[str, str]


class Manifest:
    """The rows of one collection."""

    def __init__(self, folder: Path, rows: Sequence[Row]) -> None:
        self._folder = os.fsencode(folder)
        self._exact = {row.path: row for row in rows}
        # macOS hands out decomposed names where the manifest was typed composed.
        self._composed = {_composed(row.path): row for row in rows}

    def __len__(self) -> int:
        return len(self._exact)

    @property
    def rows(self) -> Iterable[Row]:
        """All, in the order of their lines."""
        return self._exact.values()

    def find(self, path: bytes, roots: Sequence[bytes]) -> Row | None:
        """The row of the file at `path`, which lies below one of `roots`."""
        names = [os.fsdecode(name) for name in _names(path, [self._folder, *roots])]
        rows = [self._exact.get(name) for name in names]
        rows += [self._composed.get(_composed(name)) for name in names]
        return next((row for row in rows if row is not None), None)


def read(path: Path, collection: Collection) -> Manifest:
    """The manifest's rows for `collection`. Raises ConfigurationError, with the line at fault."""
    rows: dict[str, Row] = {}
    for row, of_collection in _rows(path):
        if of_collection not in ("", collection):
            continue
        if row.path in rows:
            raise ConfigurationError(
                f"{path}, line {row.line}: {row.path!r} stands on line {rows[row.path].line} "
                "already: keep one of the two"
            )
        rows[row.path] = row
    return Manifest(path.resolve().parent, list(rows.values()))


def _rows(path: Path) -> Iterator[tuple[Row, str]]:
    line = 1
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            _check_columns(path, reader.fieldnames)
            for fields in reader:
                line = reader.line_num
                yield _row(path, line, fields)
    except OSError as error:
        raise ConfigurationError(f"the manifest {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 ({error}): save it as UTF-8") from error
    except csv.Error as error:
        raise ConfigurationError(f"{path}, after line {line}: {error}") from error


def _check_columns(path: Path, columns: Sequence[str] | None) -> None:
    if not columns or "path" not in columns:
        found = ", ".join(columns or ()) or "none"
        raise ConfigurationError(
            f"{path} has no column `path` (its columns: {found}): the first line names the "
            "columns, separated by commas"
        )
    if twice := {column for column in columns if columns.count(column) > 1}:
        raise ConfigurationError(f"{path} has a column twice: {', '.join(sorted(twice))}")


def _row(path: Path, line: int, fields: dict[str, str]) -> tuple[Row, str]:
    if None in fields:
        raise ConfigurationError(f"{path}, line {line}: more fields than columns; quote the commas")
    values = {column.strip(): (value or "").strip() for column, value in fields.items()}
    if any("\0" in value for value in values.values()):
        raise ConfigurationError(
            f"{path}, line {line} holds a NUL character: save it as plain text"
        )
    collection = values.pop("collection", "")
    if collection not in ("", *COLLECTIONS):
        raise ConfigurationError(
            f"{path}, line {line}: collection {collection!r} is none of {', '.join(COLLECTIONS)}"
        )
    name, title = fields["path"], values.pop("title", "")
    if not name:
        raise ConfigurationError(f"{path}, line {line}: the path is empty")
    labels = {column: value for column, value in values.items() if value and column != "path"}
    return Row(posixpath.normpath(name), line, title, labels), collection


def _names(path: bytes, folders: Sequence[bytes]) -> Iterator[bytes]:
    """What a manifest may call `path`, the likeliest first."""
    for folder in folders:
        if path != folder and is_below(path, folder):
            yield path[len(folder.rstrip(b"/")) + 1 :]
    yield path


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
