"""Writes values as a Postgres array literal, such as `{1,2,null}`.

psycopg2 writes lists as `ARRAY[1,2,NULL]`. Postgres parses that as one expression per item, which
takes several times as long.
"""

import json
from collections.abc import Sequence


def array_literal(values: Sequence[int | float | str | None]) -> str:
    """Return the values as an array literal. A statement casts it to the type of the array."""
    if any(isinstance(value, str) for value in values):
        return "{" + ",".join(map(_text_item, values)) + "}"
    # An array of numbers in JSON has the same items. The json module writes them without a loop.
    return "{" + json.dumps(values)[1:-1] + "}"


def _text_item(value: int | float | str | None) -> str:
    if value is None:
        return "NULL"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
