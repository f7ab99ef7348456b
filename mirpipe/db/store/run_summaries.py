"""What a run found: its summaries, those by group, and its comparisons, rows in as they are."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sqlalchemy import Connection, text

Table = Literal["run_summary", "run_generation_summary", "run_group_summary", "run_comparison"]


def insert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes rows, column → value; a column that a row lacks is NULL, one too many is left out."""
    query = text(
        f"INSERT INTO mirpipe.{table} SELECT new.* "
        f"FROM jsonb_populate_recordset(CAST(NULL AS mirpipe.{table}), CAST(:rows AS jsonb)) new"
    )
    written = json.dumps(list(rows), allow_nan=False)  # floats to the last bit
    connection.execute(query, {"rows": written})
