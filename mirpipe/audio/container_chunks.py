"""Lists the chunks of WAV, RF64, W64, AIFF, CAF and AU files with their declared sizes.

A declared size is only compared with the file size and is never used to allocate memory. Sources:
RIFF/RF64 (EBU Tech 3306), W64 (Sony), AIFF (Apple 1989), CAF (Apple), AU (Sun).
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_UNKNOWN_SIZE = 2**32 - 1
_MAX_CHUNKS = 10_000


@dataclass(frozen=True)
class Chunk:
    """One chunk of a container file."""

    name: bytes
    start: int
    """Byte position of the content in the file."""
    declared_bytes: int
    """Size of the content in bytes, as declared in the chunk header."""


def read_chunks(descriptor: int, size: int) -> Iterator[Chunk]:
    """Return an iterator over the chunks of a file of `size` bytes, limited to 10,000 chunks.

    The iterator is empty if the file's container is unknown.
    """
    head = os.pread(descriptor, 12, 0)
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return _riff_chunks(descriptor, size)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _aiff_chunks(descriptor, size)
    if head[:4] == b"riff":
        return _w64_chunks(descriptor, size)
    if head[:4] == b"caff":
        return _caf_chunks(descriptor, size)
    if head[:4] == b".snd":
        return _au_chunks(descriptor, size)
    return iter(())


def little_endian(value: bytes) -> int:
    """Return the unsigned integer that these little-endian bytes represent."""
    return int.from_bytes(value, "little")


def _big_endian(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _riff_chunks(descriptor: int, size: int) -> Iterator[Chunk]:
    data_bytes = None
    for chunk in _walk(
        descriptor, size, first_chunk=12, header_bytes=8, to_int=little_endian, alignment=2
    ):
        if chunk.name == b"ds64":
            data_bytes = little_endian(os.pread(descriptor, 8, chunk.start + 8))
        if (
            chunk.name == b"data"
            and chunk.declared_bytes == _UNKNOWN_SIZE
            and data_bytes is not None
        ):
            chunk = Chunk(chunk.name, chunk.start, data_bytes)
        yield chunk


def _aiff_chunks(descriptor: int, size: int) -> Iterator[Chunk]:
    return _walk(descriptor, size, first_chunk=12, header_bytes=8, to_int=_big_endian, alignment=2)


def _caf_chunks(descriptor: int, size: int) -> Iterator[Chunk]:
    for chunk in _walk(
        descriptor, size, first_chunk=8, header_bytes=12, to_int=_big_endian, alignment=1
    ):
        # In a file that was written to a pipe, the last chunk has the size -1. By definition, that
        # chunk ends at the end of the file.
        is_unknown = chunk.declared_bytes == 2**64 - 1
        yield Chunk(chunk.name, chunk.start, size - chunk.start) if is_unknown else chunk


def _w64_chunks(descriptor: int, size: int) -> Iterator[Chunk]:
    position = 40
    for _ in range(_MAX_CHUNKS):
        header = os.pread(descriptor, 24, position) if position < size else b""
        if len(header) < 24:
            return
        bytes_with_header = little_endian(header[16:])
        yield Chunk(header[:4], position + 24, bytes_with_header - 24)
        position += max(24, bytes_with_header + -bytes_with_header % 8)


def _au_chunks(descriptor: int, size: int) -> Iterator[Chunk]:
    header = os.pread(descriptor, 12, 0)
    start, declared_bytes = _big_endian(header[4:8]), _big_endian(header[8:])
    is_unknown = declared_bytes == _UNKNOWN_SIZE  # Such data ends at the end of the file.
    yield Chunk(b"data", start, size - start if is_unknown else declared_bytes)


def _walk(
    descriptor: int,
    size: int,
    *,
    first_chunk: int,
    header_bytes: int,
    to_int: Callable[[bytes], int],
    alignment: int,
) -> Iterator[Chunk]:
    position = first_chunk
    for _ in range(_MAX_CHUNKS):
        header = os.pread(descriptor, header_bytes, position) if position < size else b""
        if len(header) < header_bytes:
            return
        declared_bytes = to_int(header[4:])
        yield Chunk(header[:4], position + header_bytes, declared_bytes)
        position += header_bytes + declared_bytes + declared_bytes % alignment
