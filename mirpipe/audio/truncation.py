"""Detects truncated files: compares the declared length with the bytes and samples in the file.

The comparison is necessary because libsndfile silently shortens a truncated WAV, AIFF, AU, CAF or
Ogg file to the samples that are left. Source for Ogg: RFC 3533.
"""

import os
from collections.abc import Iterator

import soundfile

from mirpipe.audio.container_chunks import little_endian, read_chunks
from mirpipe.audio.limits import require_supported_format
from mirpipe.audio.mp3_length_header import mp3_declares_length
from mirpipe.audio.rejected_files import TRUNCATED_REMEDY, no_frames_error
from mirpipe.errors import RejectedInput
from mirpipe.records import Float32

_ABSURD_BYTES = 2**31 - 1
_TOLERATED_BYTES = 8  # Some writers include the padding in the declared size.
_MAX_OGG_PAGE_BYTES = 65_307
_UNKNOWN_FRAMES = 2**62  # libsndfile's smallest result for a FLAC that was written to a pipe.
_MP3_MARGIN_FRAMES = 2 * 1152  # Encoders differ in the padding that they declare.
_MP3_MAX_UNREAD_BYTES = 4096


def require_declared_bytes(descriptor: int, size: int, name: str) -> None:
    """Raise RejectedInput if a file of `size` bytes is smaller than its header declares.

    The reason is truncated, or absurd_header if the header cannot be correct. `name` is the file's
    printable path. Files in unknown containers are not checked.
    """
    head = os.pread(descriptor, 4, 0)
    if head == b"OggS":
        _require_last_ogg_page(descriptor, size, name)
        return
    for chunk in read_chunks(descriptor, size):
        if chunk.name == b"fmt " and head in (b"RIFF", b"RF64"):
            fmt = os.pread(descriptor, 8, chunk.start)
            if len(fmt) == 8:
                sample_rate, channels = little_endian(fmt[4:]), little_endian(fmt[2:4])
                require_supported_format(sample_rate, channels, name)
        if chunk.name in (b"data", b"SSND"):
            _require_bytes(chunk.declared_bytes, size - chunk.start, name)


def require_declared_frames(
    blocks: Iterator[Float32], sound: soundfile.SoundFile, descriptor: int, name: str
) -> Iterator[Float32]:
    """Yield the blocks unchanged. Raise RejectedInput after the last block if samples are missing.

    The reason is truncated, unknown_length or no_frames. `sound` is the open file from which the
    blocks are read. `descriptor` shares its file position.
    """
    declared, estimated = _declared_frames(sound, descriptor)
    decoded = 0
    for block in blocks:
        decoded += len(block)
        yield block
    if decoded < declared:
        raise RejectedInput(
            "truncated",
            f"{name} declares {declared / sound.samplerate:.1f} s of audio, but only "
            f"{decoded / sound.samplerate:.1f} s can be decoded. {TRUNCATED_REMEDY}",
        )
    if decoded == estimated and _unread_bytes(descriptor) > _MP3_MAX_UNREAD_BYTES:
        raise RejectedInput(
            "unknown_length",
            f"{name} is an MP3 with a variable bit rate that does not declare its length. "
            "Rewrite it with `ffmpeg -i in.mp3 -c copy out.mp3`.",
        )
    if not decoded:
        raise no_frames_error(name)


def _require_bytes(declared: int, available: int, name: str) -> None:
    if declared <= available + _TOLERATED_BYTES:
        return
    message = (
        f"The header of {name} declares {declared:,} bytes of samples, but the file has only "
        f"{available:,}."
    )
    if declared >= _ABSURD_BYTES:
        raise RejectedInput(
            "absurd_header", f"{message} Convert the file again; do not write it to a pipe."
        )
    raise RejectedInput("truncated", f"{message} {TRUNCATED_REMEDY}")


def _require_last_ogg_page(descriptor: int, size: int, name: str) -> None:
    """Raise RejectedInput if the file does not end with a complete page that is marked as last."""
    start = max(0, size - 2 * _MAX_OGG_PAGE_BYTES)
    tail = os.pread(descriptor, size - start, start)
    page_start = tail.rfind(b"OggS\0")
    page = tail[page_start:] if page_start >= 0 else b""
    segments = page[26] if len(page) > 26 else 0
    is_complete = len(page) >= 27 + segments + sum(page[27 : 27 + segments])
    is_last = len(page) > 26 and page[5] & 4
    if not (is_complete and is_last):
        raise RejectedInput(
            "truncated", f"The last Ogg page of {name} is missing. {TRUNCATED_REMEDY}"
        )


def _declared_frames(sound: soundfile.SoundFile, descriptor: int) -> tuple[int, int]:
    """Return the number of frames that the file must have, and libsndfile's estimate.

    libsndfile estimates the length of an MP3 that does not declare its length, and stops reading at
    the estimated end. A number is 0 if it is unknown.
    """
    frames = int(sound.frames)
    if sound.format == "MP3":
        if mp3_declares_length(descriptor):
            return max(0, frames - _MP3_MARGIN_FRAMES), 0
        return 0, frames
    return frames if frames < _UNKNOWN_FRAMES else 0, 0


def _unread_bytes(descriptor: int) -> int:
    # libsndfile reads from a duplicate of the descriptor, and duplicates share one file position.
    return os.fstat(descriptor).st_size - os.lseek(descriptor, 0, os.SEEK_CUR)
