"""Stores a run's summaries, group summaries and comparisons."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sqlalchemy import Connection, text

Table = Literal["run_summary", "run_generation_summary", "run_group_summary", "run_comparison"]


def insert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows into a table. A row is a dictionary of values by column name.

    Missing columns become NULL, and unknown columns are ignored.
    """
    query = text(
        f"INSERT INTO mirpipe.{table} SELECT new.* "
        f"FROM jsonb_populate_recordset(CAST(NULL AS mirpipe.{table}), CAST(:rows AS jsonb)) new"
    )
    # JSON stores floats without loss of precision.
    connection.execute(query, {"rows": json.dumps(list(rows), allow_nan=False)})
