"""Binary COPY: rows in, vectors out, a block at a time, whatever the size of the table."""

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from mirpipe.records import Float32

BLOCK = 8192
"""Rows that are in memory at once."""

_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TAIL = struct.pack(">h", -1)
_FIXED = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float4": ">f4", "float8": ">f8"}
_TYPES = text(
    "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
    "WHERE a.attrelid = CAST(:table AS regclass) AND a.attnum > 0 AND NOT a.attisdropped"
)
_VECTORS = (
    "SELECT track_id, embedding FROM mirpipe.embedding "
    "WHERE encoder_id = %(encoder_id)s AND track_id = ANY(CAST(%(track_ids)s AS bigint[]))"
)


def copy_rows(
    connection: Connection, table: str, columns: Sequence[str], arrays: Sequence[Any]
) -> None:
    """Writes the rows whose columns are `arrays`, sequences of equal length without NULL.

    Values become what the columns of `table` are: numbers, text (str), bytea (bytes), or vector
    (an array of shape (rows, D)).
    """
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1:
        raise ValueError(f"columns of different lengths: {sorted(lengths)}")
    types = {row.attname: row.typname for row in connection.execute(_TYPES, {"table": table})}
    write = [_fields(types[column]) for column in columns]
    stream = io.BufferedReader(_Stream(_blocks(write, arrays)), 1 << 18)
    with _cursor(connection) as cursor:
        cursor.copy_expert(
            f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)", stream, 1 << 18
        )


def read_vectors(
    connection: Connection, encoder_id: int, track_ids: Sequence[int] | NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], Float32]]:
    """Vectors of these tracks, a block at a time: places in `track_ids` (m,), and vectors (m, D).

    A track without a vector is left out; within a block the order is any.
    """
    for start in range(0, len(track_ids), BLOCK):
        asked = np.asarray(track_ids[start : start + BLOCK], np.int64)
        found, vectors = copy_vectors(
            connection, _VECTORS, {"encoder_id": encoder_id, "track_ids": asked.tolist()}
        )
        if len(found):
            rank = np.argsort(asked)
            yield start + rank[np.searchsorted(asked[rank], found)], vectors


def copy_vectors(
    connection: Connection, query: str, parameters: dict[str, Any]
) -> tuple[NDArray[np.int64], Float32]:
    """What `query` selects, ids (bigint) and vectors of one dimension: shapes (m,) and (m, D)."""
    buffer = io.BytesIO()
    with _cursor(connection) as cursor:
        asked = cursor.mogrify(query, parameters).decode()
        cursor.copy_expert(f"COPY ({asked}) TO STDOUT (FORMAT BINARY)", buffer)
    data = buffer.getbuffer()
    if len(data) == len(_HEAD) + len(_TAIL):
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)
    (dimension,) = struct.unpack_from(">h", data, len(_HEAD) + 18)  # 2 + 4 + 8 + 4 bytes of row
    row = np.dtype(
        [
            ("fields", ">i2"),
            ("id_bytes", ">i4"),
            ("id", ">i8"),
            ("vector_bytes", ">i4"),
            ("dimension", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f4", (dimension,)),
        ]
    )
    rows = np.frombuffer(data[len(_HEAD) : -len(_TAIL)], row)
    return rows["id"].astype(np.int64), rows["vector"].astype(np.float32)


def _cursor(connection: Connection) -> Any:
    return connection.connection.cursor()


def _blocks(
    write: Sequence[Callable[[Any], list[bytes]]], arrays: Sequence[Any]
) -> Iterator[bytes]:
    yield _HEAD
    count = struct.pack(">h", len(arrays))
    for start in range(0, len(arrays[0]), BLOCK):
        columns = [
            fields(array[start : start + BLOCK])
            for fields, array in zip(write, arrays, strict=True)
        ]
        rows = zip(repeat(count, len(columns[0])), *columns, strict=True)
        yield b"".join(chain.from_iterable(rows))
    yield _TAIL


def _fields(type_name: str) -> Callable[[Any], list[bytes]]:
    """What turns values of a column into fields: their length, then their bytes."""
    if type_name in _FIXED:
        return lambda values: _fixed(np.asarray(values).astype(_FIXED[type_name]))
    if type_name == "vector":
        return _vectors
    if type_name == "text":
        return lambda values: [_field(value.encode()) for value in values]
    if type_name == "bytea":
        return lambda values: [_field(value) for value in values]
    raise TypeError(f"copy_rows does not know the type {type_name}")


def _field(value: bytes) -> bytes:
    return struct.pack(">i", len(value)) + value


def _fixed(values: NDArray[Any]) -> list[bytes]:
    rows = np.empty(len(values), [("length", ">i4"), ("value", values.dtype)])
    rows["length"] = values.itemsize
    rows["value"] = values
    return list(rows.view(f"V{rows.itemsize}").tolist())


def _vectors(values: Float32) -> list[bytes]:
    head = struct.pack(">ihh", 4 + 4 * values.shape[1], values.shape[1], 0)
    return [head + row.tobytes() for row in values.astype(">f4")]


class _Stream(io.RawIOBase):
    """A file to read from that holds no more than one block."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
