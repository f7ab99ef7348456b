"""Inserts a run's rows into a results table."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def insert_run_rows(
    connection: Connection, table: str, run_id: int, rows: "Sequence[DataclassInstance]"
) -> None:
    """Insert rows into a table. The fields of a row are the columns other than `run_id`."""
    if not rows:
        return
    values = [{"run_id": run_id, **asdict(row)} for row in rows]
    columns = list(values[0])
    connection.execute(
        text(
            f"INSERT INTO mirpipe.{table} ({', '.join(columns)}) "
            f"VALUES ({', '.join(f':{column}' for column in columns)})"
        ),
        values,
    )
