"""The tensors of a TensorFlow checkpoint (V2 "bundle"), read without TensorFlow.

A bundle is a sorted string table (`.index`, LevelDB's format) of protocol buffers, each saying
where in the data file (`.data-00000-of-00001`) a tensor lies. Source: the formats' descriptions in
tensorflow/core/util/tensor_bundle and google/leveldb/doc/table_format.md. Read: uncompressed
blocks and one data file, which is what `tf.train.Saver` writes.
"""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_DTYPES = {1: np.dtype("<f4"), 2: np.dtype("<f8"), 3: np.dtype("<i4"), 9: np.dtype("<i8")}


def read_bundle(index: bytes, data: bytes) -> dict[str, NDArray[np.generic]]:
    """Every tensor by its variable's name. Raises ValueError on another format."""
    footer = _Cursor(index[-_FOOTER_BYTES:])
    if struct.unpack("<Q", index[-8:])[0] != _MAGIC:
        raise ValueError("not the index of a TensorFlow checkpoint")
    footer.varint(), footer.varint()  # where the meta index lies
    top = _block(index, start=footer.varint(), size=footer.varint())
    tensors = {}
    for _, handle in top:
        place = _Cursor(handle)
        for key, entry in _block(index, start=place.varint(), size=place.varint()):
            if key:  # the empty key holds the bundle's header
                tensors[key.decode()] = _tensor(entry, data)
    return tensors


def _tensor(entry: bytes, data: bytes) -> NDArray[np.generic]:
    """BundleEntryProto: 1 dtype, 2 shape, 4 offset, 5 size."""
    fields = dict(_fields(entry))
    code = fields[1]
    if code not in _DTYPES:
        raise ValueError(f"a tensor has dtype {code}, which is not read here")
    offset, size = int(fields.get(4, 0)), int(fields[5])
    values = np.frombuffer(data[offset : offset + size], _DTYPES[int(code)])
    return values.reshape(_shape(bytes(fields.get(2, b""))))


def _shape(message: bytes) -> list[int]:
    """TensorShapeProto: 2 dim, repeated, of which 1 is the size."""
    dims = [dict(_fields(bytes(value))) for number, value in _fields(message) if number == 2]
    return [int(dim.get(1, 0)) for dim in dims]


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a protocol buffer."""
    cursor = _Cursor(message)
    while not cursor.at_end():
        number, wire = divmod(cursor.varint(), 8)
        if wire == 0:
            yield number, cursor.varint()
        elif wire == 2:
            yield number, cursor.take(cursor.varint())
        elif wire == 5:
            yield number, cursor.take(4)
        else:
            raise ValueError(f"a protocol buffer holds wire type {wire}")


def _block(table: bytes, *, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each row of a block; a key repeats only what differs from the last one."""
    if table[start + size] != 0:
        raise ValueError("the checkpoint's index is compressed")
    block = table[start : start + size]
    restarts = struct.unpack("<I", block[-4:])[0]
    cursor = _Cursor(block[: -4 * (restarts + 1)])
    key = b""
    while not cursor.at_end():
        shared, own, length = cursor.varint(), cursor.varint(), cursor.varint()
        key = key[:shared] + cursor.take(own)
        yield key, cursor.take(length)


class _Cursor:
    """A position in bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def at_end(self) -> bool:
        return self._at >= len(self._content)

    def take(self, count: int) -> bytes:
        self._at += count
        return self._content[self._at - count : self._at]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
