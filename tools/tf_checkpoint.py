"""Reads the tensors of a TensorFlow checkpoint (V2 "bundle") without TensorFlow.

A bundle has an index file (`.index`) and a data file (`.data-00000-of-00001`). The index is a
sorted string table in LevelDB format. Its values are protocol buffers, which contain each tensor's
position in the data file. Sources: the format descriptions in tensorflow/core/util/tensor_bundle
and google/leveldb/doc/table_format.md. Only uncompressed blocks and a single data file are
supported, because `tf.train.Saver` writes this format.
"""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_DTYPES = {1: np.dtype("<f4"), 2: np.dtype("<f8"), 3: np.dtype("<i4"), 9: np.dtype("<i8")}


def read_bundle(index: bytes, data: bytes) -> dict[str, NDArray[np.generic]]:
    """Return all tensors by variable name.

    `index` and `data` are the bytes of the two files. Raises ValueError for an unsupported format.
    """
    footer = _Cursor(index[-_FOOTER_BYTES:])
    if struct.unpack("<Q", index[-8:])[0] != _MAGIC:
        raise ValueError("This is not the index of a TensorFlow checkpoint")
    footer.varint(), footer.varint()  # Skip the position of the meta index.
    top_level = _block(index, start=footer.varint(), size=footer.varint())
    tensors = {}
    for _, handle in top_level:
        position = _Cursor(handle)
        for key, entry in _block(index, start=position.varint(), size=position.varint()):
            if key:  # The value of the empty key is the bundle's header.
                tensors[key.decode()] = _tensor(entry, data)
    return tensors


def _tensor(entry: bytes, data: bytes) -> NDArray[np.generic]:
    """Return a BundleEntryProto's tensor. Fields: 1 dtype, 2 shape, 4 offset, 5 size."""
    fields = dict(_fields(entry))
    code = fields[1]
    if code not in _DTYPES:
        raise ValueError(f"A tensor has the unsupported dtype {code}")
    offset, size = int(fields.get(4, 0)), int(fields[5])
    values = np.frombuffer(data[offset : offset + size], _DTYPES[int(code)])
    return values.reshape(_shape(bytes(fields.get(2, b""))))


def _shape(message: bytes) -> list[int]:
    """Return the shape in a TensorShapeProto.

    Its repeated field 2 contains the dimensions. Field 1 of a dimension is the size.
    """
    dims = [dict(_fields(bytes(value))) for number, value in _fields(message) if number == 2]
    return [int(dim.get(1, 0)) for dim in dims]


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and the value of each field in a protocol buffer."""
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
            raise ValueError(f"A protocol buffer has the unsupported wire type {wire}")


def _block(table: bytes, *, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the key and the value of each row in a block.

    A row stores only the part of its key that differs from the previous key.
    """
    if table[start + size] != 0:
        raise ValueError("The index of the checkpoint is compressed, which is not supported")
    block = table[start : start + size]
    restarts = struct.unpack("<I", block[-4:])[0]
    cursor = _Cursor(block[: -4 * (restarts + 1)])
    key = b""
    while not cursor.at_end():
        shared, unshared, length = cursor.varint(), cursor.varint(), cursor.varint()
        key = key[:shared] + cursor.take(unshared)
        yield key, cursor.take(length)


class _Cursor:
    """A position in bytes, from which data is read."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def at_end(self) -> bool:
        return self._position >= len(self._content)

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        self._position += count
        return self._content[self._position - count : self._position]

    def varint(self) -> int:
        """Return the next variable-length integer."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
