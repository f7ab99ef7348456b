"""Loads rows into a table, and reads vectors and hashes from a table, using Postgres's binary COPY.

COPY is much faster than INSERT. Rows are written block by block, so memory use does not grow with
the number of rows.
"""

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from mirpipe.records import Float32, Int64

BLOCK_ROWS = 8192
"""Number of rows that are in memory at the same time."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_NUMBER_FORMATS = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float4": ">f4", "float8": ">f8"}
_COLUMN_TYPES = text(
    "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
    "WHERE a.attrelid = CAST(:table AS regclass) AND a.attnum > 0 AND NOT a.attisdropped"
)


def copy_rows(
    connection: Connection, table: str, columns: Sequence[str], arrays: Sequence[Any]
) -> None:
    """Append rows to `table`. `arrays` contains one sequence per column, all of equal length.

    The values are converted to the column types: numbers, boolean, text (from str), bytea (from
    bytes) or vector (from an array of shape (rows, D)). NULL is not supported. Raises ValueError if
    the lengths differ, and TypeError if a column has any other type.
    """
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1:
        raise ValueError(f"copy_rows received columns of different lengths: {sorted(lengths)}")
    types = {
        row.attname: row.typname for row in connection.execute(_COLUMN_TYPES, {"table": table})
    }
    encoders = [_field_encoder(types[column]) for column in columns]
    stream = io.BufferedReader(_BlockStream(_encoded_blocks(encoders, arrays)), 1 << 18)
    with _cursor(connection) as cursor:
        cursor.copy_expert(
            f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)", stream, 1 << 18
        )


def select_vectors(
    connection: Connection, query: str, parameters: dict[str, Any]
) -> tuple[Int64, Float32]:
    """Return the ids, shape (m,), and the float32 vectors, shape (m, D), that a query selects.

    `query` selects two columns: a bigint, and vectors that all have the same dimension. The
    parameters of the query are written as `%(name)s`. If there are no rows, both results are empty.
    """
    data = _select(connection, query, parameters)
    if not data:
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)
    # The dimension follows the first 2 + 4 + 8 + 4 bytes of the first row, see the layout below.
    (dimension,) = struct.unpack_from(">h", data, 18)
    vector = [("dimension", ">i2"), ("unused", ">i2"), ("numbers", ">f4", (dimension,))]
    rows = np.frombuffer(data, _row_layout(vector))
    return rows["id"].astype(np.int64), rows["value"]["numbers"].astype(np.float32)


def select_hashes(
    connection: Connection, query: str, parameters: dict[str, Any]
) -> tuple[Int64, NDArray[np.bytes_]]:
    """Return the ids and the SHA-256 hashes that a query selects, both of shape (m,).

    `query` selects two columns: a bigint, and a bytea of 32 bytes. The parameters of the query are
    written as `%(name)s`.
    """
    rows = np.frombuffer(_select(connection, query, parameters), _row_layout("S32"))
    return rows["id"].astype(np.int64), rows["value"].copy()


def _select(connection: Connection, query: str, parameters: dict[str, Any]) -> memoryview:
    """Return the bytes of all rows that a query selects, without the header and the trailer."""
    buffer = io.BytesIO()
    with _cursor(connection) as cursor:
        statement = cursor.mogrify(query, parameters).decode()
        cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT BINARY)", buffer, 1 << 18)
    return buffer.getbuffer()[len(_HEADER) : -len(_TRAILER)]


def _row_layout(value: Any) -> np.dtype[np.void]:
    """Return the layout of a row with two fields: a bigint, and a value of the given dtype."""
    fields = [("fields", ">i2"), ("id_bytes", ">i4"), ("id", ">i8"), ("value_bytes", ">i4")]
    return np.dtype([*fields, ("value", value)])


def _cursor(connection: Connection) -> Any:
    return connection.connection.cursor()


def _encoded_blocks(
    encoders: Sequence[Callable[[Any], list[bytes]]], arrays: Sequence[Any]
) -> Iterator[bytes]:
    """Yield the bytes of the COPY format: the header, blocks of rows, and the trailer."""
    yield _HEADER
    field_count = struct.pack(">h", len(arrays))
    for start in range(0, len(arrays[0]), BLOCK_ROWS):
        columns = [
            encode(array[start : start + BLOCK_ROWS])
            for encode, array in zip(encoders, arrays, strict=True)
        ]
        rows = zip(repeat(field_count, len(columns[0])), *columns, strict=True)
        yield b"".join(chain.from_iterable(rows))
    yield _TRAILER


def _field_encoder(type_name: str) -> Callable[[Any], list[bytes]]:
    """Return a function that encodes a column's values as fields: the length, then the bytes."""
    if type_name in _NUMBER_FORMATS:
        return lambda values: _number_fields(np.asarray(values).astype(_NUMBER_FORMATS[type_name]))
    if type_name == "vector":
        return _vector_fields
    if type_name == "text":
        return lambda values: [_field(value.encode()) for value in values]
    if type_name == "bytea":
        return lambda values: [_field(value) for value in values]
    if type_name == "bool":
        return lambda values: [_field(bytes([value])) for value in values]
    raise TypeError(
        f"copy_rows does not support the column type {type_name}. Add it to binary_copy.py."
    )


def _field(value: bytes) -> bytes:
    return struct.pack(">i", len(value)) + value


def _number_fields(values: NDArray[Any]) -> list[bytes]:
    rows = np.empty(len(values), [("length", ">i4"), ("value", values.dtype)])
    rows["length"] = values.itemsize
    rows["value"] = values
    return list(rows.view(f"V{rows.itemsize}").tolist())


def _vector_fields(values: Float32) -> list[bytes]:
    head = struct.pack(">ihh", 4 + 4 * values.shape[1], values.shape[1], 0)
    return [head + row.tobytes() for row in values.astype(">f4")]


class _BlockStream(io.RawIOBase):
    """A readable file that reads from an iterator of blocks, with at most one block in memory."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._unread = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._unread:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._unread = memoryview(block)
        size = min(len(buffer), len(self._unread))
        buffer[:size] = self._unread[:size]
        self._unread = self._unread[size:]
        return size
