"""Finds where the samples of a WAV, RF64, BW64, W64, AIFF, CAF or AU file begin and end.

A program that writes to a pipe, or that crashes, leaves a wrong size in the header. Then, the
samples end at the end of the file, and libsndfile is given a corrected header.
"""

import re
from dataclasses import dataclass

from mirpipe.audio.container_chunks import Chunk, read_chunks
from mirpipe.audio.file_part import FilePart
from mirpipe.audio.limits import require_supported_format

_TOLERATED_BYTES = 8  # Some writers include the padding in the declared size.
_MIN_REST_BYTES = 4096
_AFTER_SAMPLES = re.compile(rb"[ -~]{4}|ID3|TAG", re.DOTALL)
_EXTENSIBLE = 0xFFFE


@dataclass(frozen=True)
class SampleBytes:
    """The samples of a container file, in bytes."""

    file: FilePart
    """The file. If a size in its header is wrong, reading it returns the correct size."""
    present: int = 0
    """Number of bytes of samples in the file. 0 if the container is not one of those above."""
    missing: int = 0
    """Number of bytes that are declared and missing at the end of the file."""
    is_declared: bool = True
    """Whether the header declares the number of bytes."""
    channel_mask: int | None = None
    """Loudspeaker positions of the channels, as the bits of WAVEFORMATEXTENSIBLE. None if the
    header does not declare them."""


def find_sample_bytes(file: FilePart) -> SampleBytes:
    """Return where the samples are, and the file with a corrected header.

    Raises RejectedInput with the reason absurd_header if the sample rate or the number of channels
    of a WAV is not supported.
    """
    channel_mask, has_ds64 = None, False
    for chunk in read_chunks(file):
        if chunk.name == b"fmt ":
            channel_mask = _read_format(file, chunk)
        has_ds64 = has_ds64 or chunk.name == b"ds64"
        if chunk.name not in (b"data", b"SSND"):
            continue
        available = max(0, file.size - chunk.start)
        patches = [(0, b"RF64" if has_ds64 else b"RIFF")] if _is_bw64(file) else []
        is_declared = not (_is_placeholder(chunk, available) or _is_too_small(file, chunk))
        present = min(chunk.declared_bytes, available) if is_declared else available
        if chunk.declared_bytes != present:
            patches.append((chunk.size_position, chunk.encoded_size(present)))
        missing = max(0, chunk.declared_bytes - available) if is_declared else 0
        return SampleBytes(
            file.between(0, file.size, patches) if patches else file,
            present,
            missing if missing > _TOLERATED_BYTES else 0,
            is_declared,
            channel_mask,
        )
    return SampleBytes(file)


def _read_format(file: FilePart, chunk: Chunk) -> int | None:
    """Check the format of a WAV, and return its channel mask, or None if it has none."""
    fmt = file.read_at(chunk.start, min(chunk.declared_bytes, 40))
    tag, channels, sample_rate = (
        int.from_bytes(fmt[start:end], "little") for start, end in ((0, 2), (2, 4), (4, 8))
    )
    if len(fmt) >= 8:
        require_supported_format(sample_rate, channels, file.name)
    mask = int.from_bytes(fmt[20:24], "little")
    return mask if len(fmt) == 40 and tag == _EXTENSIBLE and mask else None


def _is_bw64(file: FilePart) -> bool:
    return file.read_at(0, 4) == b"BW64"


def _is_placeholder(chunk: Chunk, available: int) -> bool:
    """Return whether the size is one that programs write when they cannot know the size.

    These are 0, and values next to the largest number that fits into 31 or 32 bits. A 64-bit size
    above 256 TB is no size.
    """
    size = chunk.declared_bytes
    if size <= 0:
        return available > 0
    near_31_bits = 2**31 - 4096 <= size <= 2**31
    near_32_bits = 2**32 - 4096 <= size < 2**32
    return size > available and (near_31_bits or near_32_bits or size >= 2**48)


def _is_too_small(file: FilePart, chunk: Chunk) -> bool:
    """Return whether the samples are followed by bytes that are neither a chunk nor padding."""
    end = chunk.start + chunk.declared_bytes
    if file.size - end < _MIN_REST_BYTES:
        return False
    padded_end = end + -chunk.declared_bytes % chunk.alignment
    rest = file.read_at(end, _MIN_REST_BYTES)
    return not (
        _AFTER_SAMPLES.match(rest)
        or _AFTER_SAMPLES.match(file.read_at(padded_end, 4))
        or not rest.strip(b"\0")
    )
