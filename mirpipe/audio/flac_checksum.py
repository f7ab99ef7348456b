"""Compares decoded FLAC audio with the MD5 checksum in the file's header.

libsndfile does not check it. Source: RFC 9639, sections 8.2 and 8.2.1.
"""

import hashlib

import numpy as np

from mirpipe.audio.file_part import FilePart
from mirpipe.records import Float32

_LARGEST_BITS = 24  # A float32 sample holds 24 bits exactly.


class FlacChecksum:
    """The MD5 checksum of the samples of a FLAC file, computed block by block."""

    def __init__(self, bits: int, expected: bytes) -> None:
        """`bits` is the number of bits per sample, `expected` the checksum in the header."""
        self._bits = bits
        self._expected = expected
        self._digest = hashlib.md5(usedforsecurity=False)

    def add(self, block: Float32) -> None:
        """Add a block of samples, shape (frames, channels), with full scale at ±1."""
        scaled = block * np.float32(2 ** (self._bits - 1))
        sample_bytes = (self._bits + 7) // 8
        if sample_bytes == 2:
            self._digest.update(scaled.astype("<i2").data)
        else:
            as_bytes = scaled.astype("<i4").reshape(-1, 1).view(np.uint8)
            self._digest.update(np.ascontiguousarray(as_bytes[:, :sample_bytes]).data)

    def is_wrong(self) -> bool:
        """Return whether the checksum differs from that in the header."""
        return self._digest.digest() != self._expected


def flac_checksum(part: FilePart) -> FlacChecksum | None:
    """Return the checksum to compute for a part of a file.

    The result is None if the part is not a FLAC file, if its header has no checksum, or if its
    samples have more than 24 bits.
    """
    header = part.read_at(0, 42)
    if header[:4] != b"fLaC" or len(header) < 42 or not any(header[26:]):
        return None
    bits = (int.from_bytes(header[20:22]) >> 4 & 0x1F) + 1
    return FlacChecksum(bits, header[26:]) if bits <= _LARGEST_BITS else None
