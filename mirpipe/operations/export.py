"""Views as Parquet files with a data dictionary: all of one moment, and never half a file."""

import csv
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from mirpipe.db.queries.view_catalogue import Snapshot, View, snapshot
from mirpipe.errors import ConfigurationError, MirpipeError
from mirpipe.files.durable_write import sync_file

PARTIAL = ".partial"
"""Where files are until all of them are whole."""

_TYPES: dict[str, pa.DataType] = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "smallint": pa.int16(),
    "double precision": pa.float64(),
    "real": pa.float32(),
    "boolean": pa.bool_(),
    "text": pa.string(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
}


def export(
    folder: Path,
    *,
    views: Sequence[str] = (),
    vectors: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, int]:
    """Writes these views, default all, as VIEW.parquet, and dictionary.md and .csv; rows by view.

    Views of vectors only where `vectors`, or by name. All files come from one snapshot and take
    their places when the last is whole; what else is in the folder stays. The dictionary tells of
    every view, written or not. Raises ConfigurationError for a view that is not there and
    MirpipeError where another export writes into the folder.
    """
    with _alone(folder) as partial, snapshot() as moment:
        known = moment.views()
        chosen = _chosen(known, views, vectors=vectors)
        counts = {}
        for done, view in enumerate(chosen):
            progress(done, len(chosen))
            counts[view.name] = _write(moment, view, partial / f"{view.name}.parquet")
        progress(len(chosen), len(chosen))
        told = [view for view in known if not view.vectors or view in chosen]
        _dictionary(partial, told)
        for file in sorted(partial.iterdir()):
            file.replace(folder / file.name)
    return counts


def _chosen(known: Sequence[View], names: Sequence[str], *, vectors: bool) -> list[View]:
    unknown = sorted(set(names) - {view.name for view in known})
    if unknown:
        there = ", ".join(view.name for view in known)
        raise ConfigurationError(f"no view is called {', '.join(unknown)}; there are {there}")
    if names:
        return [view for view in known if view.name in names or (vectors and view.vectors)]
    return [view for view in known if vectors or not view.vectors]


def _write(moment: Snapshot, view: View, file: Path) -> int:
    """Rows written; what a type of Postgres has no like of becomes text."""
    types, casts = zip(*(_type(column.type) for column in view.columns), strict=True)
    schema = pa.schema(
        [
            pa.field(column.name, kind, metadata={"comment": column.comment})
            for column, kind in zip(view.columns, types, strict=True)
        ],
        metadata={"comment": view.comment, "taken_at": moment.taken_at().isoformat()},
    )
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in moment.rows(view, casts):
            writer.write_batch(_batch(batch, schema))
            count += len(batch)
    sync_file(file)  # before it gets its name
    return count


def _batch(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [
        pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)
    ]
    return pa.record_batch(arrays, schema=schema)


def _type(written: str) -> tuple[pa.DataType, str | None]:
    """Parquet's type for one of Postgres's, and what Postgres casts to first."""
    if written in _TYPES:
        return _TYPES[written], None
    if written.endswith("[]") and written[:-2] in _TYPES:
        return pa.list_(_TYPES[written[:-2]]), None
    if written.startswith("numeric"):
        return pa.float64(), "double precision"
    vector = re.fullmatch(r"(?:public\.)?vector\((\d+)\)", written)
    if vector:
        return pa.list_(pa.float32(), int(vector[1])), "real[]"
    return pa.string(), "text"


def _dictionary(folder: Path, views: Sequence[View]) -> None:
    with (folder / "dictionary.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["view", "column", "type", "comment"])
        for view in views:
            for column in view.columns:
                writer.writerow([view.name, column.name, column.type, column.comment])
    told = "\n".join(_section(view) for view in views)
    (folder / "dictionary.md").write_text(f"# Data dictionary\n\n{told}", encoding="utf-8")


def _section(view: View) -> str:
    lines = [
        f"| {column.name} | {column.type} | {_cell(column.comment)} |" for column in view.columns
    ]
    head = [f"## {view.name}", f"{view.comment}.\n" if view.comment else ""]
    return "\n".join([*head, "| column | type | what it is |", "|---|---|---|", *lines, ""])


def _cell(comment: str) -> str:
    return comment.replace("|", r"\|").replace("\n", " ")


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """An empty folder for what is not whole yet, while no other export writes into this one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigurationError(f"{folder} is no folder to write into: {error.strerror}") from None
    partial = folder / PARTIAL
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MirpipeError(f"another export writes into {folder}: wait for it") from None
        try:
            shutil.rmtree(partial, ignore_errors=True)  # a killed export's
            partial.mkdir()
            yield partial
        except OSError as error:
            raise MirpipeError(f"{folder} cannot be written: {error}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    finally:
        os.close(held)
