"""Exports database views as Parquet files with a data dictionary.

All files come from one database snapshot, and no incomplete file is ever visible.
"""

import csv
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from mirpipe.db.queries.view_descriptions import View
from mirpipe.db.queries.view_snapshot import Snapshot, snapshot
from mirpipe.errors import ConfigurationError
from mirpipe.files.durable_write import sync_file
from mirpipe.operations.export_folder import locked_folder, publish

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
    """Write each view as VIEW.parquet, and return the number of rows per view.

    Without `views`, all views are written. Vector views are written only if `vectors` is true or if
    `views` names them. The files dictionary.md and dictionary.csv describe all views except the
    vector views that are not written. All files come from one snapshot, and are moved to `folder`
    when the last one is complete. Other files in `folder` are kept. `progress` is called with the
    number of finished views and the total number of views.

    Raises ConfigurationError if a view does not exist, and MirpipeError if another export is
    writing to the folder.
    """
    with locked_folder(folder) as partial, snapshot() as moment:
        existing = moment.views()
        chosen = _select(existing, views, vectors=vectors)
        counts = {}
        for done, view in enumerate(chosen):
            progress(done, len(chosen))
            counts[view.name] = _write_view(moment, view, partial / f"{view.name}.parquet")
        progress(len(chosen), len(chosen))
        described = [view for view in existing if not view.vectors or view in chosen]
        _write_dictionary(partial, described)
        publish(partial, folder)
    return counts


def _select(existing: Sequence[View], names: Sequence[str], *, vectors: bool) -> list[View]:
    """Return the views to write. Raises ConfigurationError if a named view does not exist."""
    unknown = sorted(set(names) - {view.name for view in existing})
    if unknown:
        listed = ", ".join(view.name for view in existing)
        raise ConfigurationError(
            f"There is no view {', '.join(unknown)}. Choose from these: {listed}."
        )
    if names:
        return [view for view in existing if view.name in names or (vectors and view.vectors)]
    return [view for view in existing if vectors or not view.vectors]


def _write_view(moment: Snapshot, view: View, file: Path) -> int:
    """Write the view to a Parquet file and return its number of rows.

    Columns whose type Parquet does not support are written as text.
    """
    types, casts = zip(*(_parquet_type(column.type) for column in view.columns), strict=True)
    schema = pa.schema(
        [
            pa.field(column.name, type_, metadata={"comment": column.comment})
            for column, type_ in zip(view.columns, types, strict=True)
        ],
        metadata={"comment": view.comment, "taken_at": moment.taken_at().isoformat()},
    )
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in moment.rows(view, casts):
            writer.write_batch(_record_batch(batch, schema))
            count += len(batch)
    sync_file(file)  # The file must be completely on disk before it is moved.
    return count


def _record_batch(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [
        pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)
    ]
    return pa.record_batch(arrays, schema=schema)


def _parquet_type(postgres_type: str) -> tuple[pa.DataType, str | None]:
    """Return the Parquet type of a Postgres type.

    The second value is the type to which Postgres must first cast the column, or None.
    """
    if postgres_type in _TYPES:
        return _TYPES[postgres_type], None
    if postgres_type.endswith("[]") and postgres_type[:-2] in _TYPES:
        return pa.list_(_TYPES[postgres_type[:-2]]), None
    if postgres_type.startswith("numeric"):
        return pa.float64(), "double precision"
    vector = re.fullmatch(r"(?:public\.)?vector\((\d+)\)", postgres_type)
    if vector:
        return pa.list_(pa.float32(), int(vector[1])), "real[]"
    return pa.string(), "text"


def _write_dictionary(folder: Path, views: Sequence[View]) -> None:
    """Write dictionary.csv and dictionary.md, with one row per view column."""
    with (folder / "dictionary.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["view", "column", "type", "comment"])
        for view in views:
            for column in view.columns:
                writer.writerow([view.name, column.name, column.type, column.comment])
    sections = "\n".join(_section(view) for view in views)
    (folder / "dictionary.md").write_text(f"# Data dictionary\n\n{sections}", encoding="utf-8")


def _section(view: View) -> str:
    lines = [
        f"| {column.name} | {column.type} | {_cell(column.comment)} |" for column in view.columns
    ]
    head = [f"## {view.name}", f"{view.comment}.\n" if view.comment else ""]
    return "\n".join([*head, "| column | type | meaning |", "|---|---|---|", *lines, ""])


def _cell(comment: str) -> str:
    return comment.replace("|", r"\|").replace("\n", " ")
