"""Reads a manifest: a CSV file with the titles and labels of tracks, one row per file.

The column `path` is required. The columns `title` and `collection` are optional; a row with a
collection applies only to that collection. Every other column becomes a label. Upper and lower case
and spaces around a heading do not matter. Rows without any text, and columns without any text, are
ignored. The encoding is UTF-8, with or without a byte order mark.
"""

import csv
import io
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path

from mirpipe.errors import ConfigurationError
from mirpipe.files.addresses import S3_SCHEME
from mirpipe.library.genres import join_genres, split_genres
from mirpipe.library.manifest_matching import Manifest, ManifestRow
from mirpipe.records import COLLECTIONS, Collection


def read_manifest(path: Path, collection: Collection) -> Manifest:
    """Return the rows of the manifest that apply to `collection`.

    Raises ConfigurationError if the manifest cannot be read or contains an error. The message
    names the line and the column of an error.
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
        reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
        headings = [heading.strip().lower() for heading in next(reader, [])]
        _require_valid_headings(path, headings)
        for cells in reader:
            line = reader.line_num
            if any(cell.strip() for cell in cells):
                yield _parse_row(path, line, headings, cells)
    except csv.Error as error:
        raise ConfigurationError(
            f"{path}, after line {line}: this is not valid CSV ({error}). Check the quotation "
            "marks."
        ) from error


def _read_text(path: Path) -> str:
    """Return the content of the manifest. Raises ConfigurationError if it is not UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"The manifest {path} cannot be read: {error.strerror}. Check its path and permissions."
        ) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line_start = content.rfind(b"\n", 0, error.start) + 1
        line = content.count(b"\n", 0, error.start) + 1
        before = content[line_start : error.start].decode("utf-8", "replace")
        column = max(1, len(next(csv.reader([before]), [])))
        raise ConfigurationError(
            f"{path}, line {line}, column {column}: this is not UTF-8 ({error.reason}). Save the "
            "file as UTF-8."
        ) from error


def _require_valid_headings(path: Path, headings: Sequence[str]) -> None:
    if "path" not in headings:
        names = ", ".join(filter(None, headings)) or "none"
        raise ConfigurationError(
            f"The manifest {path} has no column `path` (its columns: {names}). Write the column "
            "names on the first line, separated by commas."
        )
    for place, heading in enumerate(headings, start=1):
        first = headings.index(heading) + 1
        if heading and first < place:
            raise ConfigurationError(
                f"{path}, line 1: columns {first} and {place} have the same name, {heading}. "
                "Rename one of them."
            )


def _parse_row(
    path: Path, line: int, headings: Sequence[str], cells: Sequence[str]
) -> tuple[ManifestRow, str]:
    values: dict[str, str] = {}
    for place, cell in enumerate(cells, start=1):
        heading = headings[place - 1] if place <= len(headings) else ""
        where = f"{path}, line {line}, column {place}"
        if heading:
            where += f" ({heading})"
        elif cell.strip():
            raise ConfigurationError(
                f"{where}: the column has a text, {cell.strip()!r}, but no heading. Put quotation "
                "marks around each field that contains a comma, or name the column on line 1."
            )
        if "\0" in cell:
            raise ConfigurationError(
                f"{where}: there is a NUL character. Save the file as plain text."
            )
        values[heading] = cell if heading == "path" else cell.strip()
    values.pop("", None)
    name, title = values.pop("path", ""), values.pop("title", "")
    collection = values.pop("collection", "").lower()
    if collection not in ("", *COLLECTIONS):
        raise ConfigurationError(
            f"{path}, line {line}, column {headings.index('collection') + 1} (collection): there "
            f"is no collection {collection!r}. Write one of {', '.join(COLLECTIONS)}, or leave the "
            "field empty."
        )
    if not name:
        raise ConfigurationError(
            f"{path}, line {line}, column {headings.index('path') + 1} (path): the path is empty. "
            "Add the path of a file, or delete the line."
        )
    labels = {heading: value for heading, value in values.items() if value}
    if "genre" in labels:
        labels["genre"] = join_genres(split_genres([labels["genre"]]))
    normalised = name if name.startswith(S3_SCHEME) else posixpath.normpath(name)
    return ManifestRow(normalised, line, title, labels), collection
