"""Limits the length of the values in a result: Postgres cuts long values before it sends them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

MAX_CHARACTERS = 10_000
"""Maximum number of characters of a value."""
CUT_MARK = "…"
"""Last character of a value that was cut."""
_BYTES_PER_CHARACTER = 4
"""Maximum number of bytes of a character in UTF-8."""

_BYTEA, _NUMERIC = 17, 1700
_SHORT_TYPES = {16, 20, 21, 23, 26, 700, 701, 1082, 1083, 1114, 1184, 1266}
"""Type oids of values that need few bytes: boolean, integers, oid, floats, dates and times."""
_SHORT_BYTES = 8

Value = bool | int | float | str | date | datetime | time | None


@dataclass(frozen=True)
class ValueLimits:
    """Limits for the values of a result whose columns have these types."""

    type_oids: Sequence[int]
    max_characters: int
    """Maximum number of characters of a value."""

    def column_aliases(self) -> str:
        """Return the aliases `(c0, c1, …)` that `expressions` uses, or nothing for no columns."""
        names = ", ".join(f"c{index}" for index in range(len(self.type_oids)))
        return f"({names})" if names else ""

    def expressions(self) -> str:
        """Return one SQL expression per column, separated by commas.

        Numbers, truth values, dates and times are unchanged. Bytes become hexadecimal digits, and
        all other values become text as in psql. Texts are cut. A cut text is longer than
        `max_characters`, so that `shorten` recognises it.
        """
        return ", ".join(
            self._expression(f"c{index}", type_oid) for index, type_oid in enumerate(self.type_oids)
        )

    def _expression(self, column: str, type_oid: int) -> str:
        if type_oid in _SHORT_TYPES:
            return column
        if type_oid == _BYTEA:
            return f"encode(substring({column} FROM 1 FOR {self.max_characters // 2 + 1}), 'hex')"
        return f"left({column}::text, {self.max_characters + 1})"

    def shorten(self, received: Sequence[Any]) -> tuple[tuple[Value, ...], int]:
        """Return a row as it is shown, and the number of values that were cut.

        Cut values end with `…`. Values of the type numeric become floats.
        """
        values: list[Value] = []
        cut = 0
        for value, type_oid in zip(received, self.type_oids, strict=True):
            if isinstance(value, str) and len(value) > self.max_characters:
                cut += 1
                values.append(value[: self.max_characters] + CUT_MARK)
            else:
                values.append(float(value) if type_oid == _NUMERIC and value else value)
        return tuple(values), cut

    def max_row_bytes(self) -> int:
        """Return the maximum number of bytes that Postgres sends for a row, without headers."""
        longest = (self.max_characters + 1) * _BYTES_PER_CHARACTER
        return sum(_SHORT_BYTES if oid in _SHORT_TYPES else longest for oid in self.type_oids) or 1


def limits_for(type_oids: Sequence[int], *, max_bytes: int) -> ValueLimits:
    """Return limits for values, with which every row has at most `max_bytes` bytes."""
    share = max_bytes // (_BYTES_PER_CHARACTER * (len(type_oids) or 1)) - 1
    return ValueLimits(type_oids, max_characters=min(MAX_CHARACTERS, share))


def size_in_bytes(row: Sequence[Value]) -> int:
    """Return the size of a row's values: the length of texts in UTF-8, and 8 for other values."""
    return sum(len(v.encode()) if isinstance(v, str) else _SHORT_BYTES for v in row)
