"""Reads the INFO list of WAV files, including RF64.

Own code, because mutagen does not read it, and ffprobe drops bytes that are not UTF-8.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mirpipe.library.tag_readers.raw_values import RawTag

_CONTAINERS = {b"RIFF", b"RF64", b"BW64"}
_SIZE_IN_DS64 = 0xFFFFFFFF
_MAX_BYTES = 1 << 20
"""Longest INFO list that is read."""


def riff_info(path: str) -> list[RawTag]:
    """Return the entries of the file's INFO lists. The list is empty if it is not a WAV file."""
    with Path(path).open("rb") as file:
        head = file.read(12)
        if head[:4] not in _CONTAINERS or head[8:] != b"WAVE":
            return []
        return [entry for body in _info_lists(file) for entry in _entries(body)]


def _info_lists(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of each INFO list. Reading stops at the first damaged chunk."""
    data_bytes = 0
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        start = file.tell()
        if name == b"ds64":
            data_bytes = int.from_bytes(file.read(16)[8:], "little")
        elif name == b"data" and size == _SIZE_IN_DS64:
            size = data_bytes
        elif name == b"LIST" and file.read(4) == b"INFO":
            yield file.read(min(size - 4, _MAX_BYTES))
        file.seek(start + size + size % 2, os.SEEK_SET)


def _entries(body: bytes) -> Iterator[RawTag]:
    position = 0
    while position + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, position)
        position += 8
        value = body[position : position + size].partition(b"\0")[0]
        yield name.decode("latin-1"), [value]
        position += size + size % 2
