"""Lists the chunks of WAV, RF64, W64, AIFF, CAF and AU files with their declared sizes.

A declared size is only compared with the file size and is never used to allocate memory. Sources:
RIFF/RF64 (EBU Tech 3306), W64 (Sony), AIFF (Apple 1989), CAF (Apple), AU (Sun).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mirpipe.audio.file_part import FilePart

_SIZE_IN_DS64 = 2**32 - 1
_MAX_CHUNKS = 10_000

ByteOrder = Literal["little", "big"]


@dataclass(frozen=True)
class Chunk:
    """One chunk of a container file."""

    name: bytes
    start: int
    """Byte position of the content in the file."""
    declared_bytes: int
    """Size of the content in bytes, as declared in the chunk header."""
    alignment: int
    """The next chunk begins at a multiple of this number of bytes after the start."""
    size_position: int
    """Byte position of the declared size in the file."""
    size_bytes: int
    byte_order: ByteOrder
    header_in_size: int = 0
    """Size of the chunk header in bytes, if the stored size includes the header."""

    def encoded_size(self, content_bytes: int) -> bytes:
        """Return the bytes that declare this size, cut to the largest size that can be stored."""
        largest = (1 << 8 * self.size_bytes) - 2
        size = min(content_bytes + self.header_in_size, largest)
        return size.to_bytes(self.size_bytes, self.byte_order)


def read_chunks(file: FilePart) -> Iterator[Chunk]:
    """Return an iterator over the chunks of a file, limited to 10,000 chunks.

    The iterator is empty if the file's container is unknown.
    """
    head = file.read_at(0, 12)
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _riff_chunks(file)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _walk(file, first_chunk=12, size_bytes=4, byte_order="big", alignment=2)
    if head[:4] == b"riff":
        return _w64_chunks(file)
    if head[:4] == b"caff":
        return _walk(file, first_chunk=8, size_bytes=8, byte_order="big", alignment=1)
    if head[:4] == b".snd":
        start, size = int.from_bytes(head[4:8]), int.from_bytes(head[8:])
        return iter([Chunk(b"data", start, size, 1, 8, 4, "big")])
    return iter(())


def _riff_chunks(file: FilePart) -> Iterator[Chunk]:
    ds64 = None
    for chunk in _walk(file, first_chunk=12, size_bytes=4, byte_order="little", alignment=2):
        if chunk.name == b"ds64":
            ds64 = chunk.start + 8
        if chunk.name == b"data" and chunk.declared_bytes == _SIZE_IN_DS64 and ds64 is not None:
            size = int.from_bytes(file.read_at(ds64, 8), "little")
            yield Chunk(chunk.name, chunk.start, size, 2, ds64, 8, "little")
            return  # The size of a chunk after the samples is rarely needed, and never here.
        yield chunk


def _w64_chunks(file: FilePart) -> Iterator[Chunk]:
    position = 40
    for _ in range(_MAX_CHUNKS):
        header = file.read_at(position, 24) if position < file.size else b""
        if len(header) < 24:
            return
        size = int.from_bytes(header[16:], "little")
        yield Chunk(header[:4], position + 24, size - 24, 8, position + 16, 8, "little", 24)
        position += max(24, size + -size % 8)


def _walk(
    file: FilePart, *, first_chunk: int, size_bytes: int, byte_order: ByteOrder, alignment: int
) -> Iterator[Chunk]:
    position, header_bytes = first_chunk, 4 + size_bytes
    for _ in range(_MAX_CHUNKS):
        header = file.read_at(position, header_bytes) if position < file.size else b""
        if len(header) < header_bytes:
            return
        start, size = position + header_bytes, int.from_bytes(header[4:], byte_order)
        yield Chunk(header[:4], start, size, alignment, position + 4, size_bytes, byte_order)
        position = start + size + size % alignment
