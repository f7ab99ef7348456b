"""Compares decoded FLAC audio with the MD5 checksum in the file's header.

libsndfile does not check it. Source: RFC 9639, sections 8.2 and 8.2.1.
"""

import hashlib
from collections.abc import Iterator
from typing import Literal

import numpy as np
import soundfile

from mirpipe.audio import libsndfile
from mirpipe.audio.file_part import FilePart
from mirpipe.records import Float32, Int16, Int32, UInt8

_LARGEST_BITS = 24  # A float32 sample holds 24 bits exactly.


class FlacChecksum:
    """The MD5 checksum of the samples of a FLAC file, computed block by block."""

    def __init__(self, bits: int, expected: bytes) -> None:
        """`bits` is the number of bits per sample, `expected` the checksum in the header."""
        self._bits = bits
        self._sample_bytes = (bits + 7) // 8
        self._expected = expected
        self._digest = hashlib.md5(usedforsecurity=False)

    def read_blocks(
        self, sound: soundfile.SoundFile, part: FilePart, block_frames: int
    ) -> Iterator[Float32]:
        """Yield blocks as `libsndfile.read_blocks` does, and add their samples to the checksum.

        The file is read as integers, whose bytes are hashed. They become exactly the floats that
        libsndfile returns, because they have at most 24 bits.
        """
        # Integers of 16 bits need not be packed.
        dtype: Literal["int16", "int32"] = "int16" if self._sample_bytes == 2 else "int32"
        full_scale = np.float32(2**15 if dtype == "int16" else 2**31)
        for block in libsndfile.read_integers(sound, part, block_frames, dtype):
            self._digest.update(self._packed(block).data)
            samples = block.astype(np.float32)
            samples /= full_scale  # A power of two, so the result is exact.
            yield samples

    def _packed(self, block: Int16 | Int32) -> UInt8:
        """Return the bytes of the samples as in a WAV file: little-endian, without gaps.

        The highest bits of an integer are the sample.
        """
        sample_bytes = self._sample_bytes
        unused_bits = 8 * sample_bytes - self._bits
        if unused_bits:  # This is rare, and shifting takes as long as hashing.
            block = block >> block.dtype.type(unused_bits)
        integers = block.reshape(-1)
        stored = integers.astype(integers.dtype.newbyteorder("<"), copy=False).view(np.uint8)
        if block.itemsize == sample_bytes:
            return stored
        packed = np.empty((block.size, sample_bytes), np.uint8)
        for byte in range(sample_bytes):  # Copying whole columns is four times as fast as rows.
            packed[:, byte] = stored[4 - sample_bytes + byte :: 4]
        return packed

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
