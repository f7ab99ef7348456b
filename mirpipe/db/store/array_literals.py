"""Writes values as a Postgres array literal, such as `{1,2,NULL}`.

psycopg2 writes lists as `ARRAY[1,2,NULL]`. Postgres parses that as one expression per item, which
takes several times as long as all other work of a statement with thousands of items.
"""

from collections.abc import Iterable


def array_literal(values: Iterable[int | float | str | None]) -> str:
    """Return the values as an array literal. A statement casts it to the type of the array."""
    return "{" + ",".join(map(_item, values)) + "}"


def _item(value: int | float | str | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
