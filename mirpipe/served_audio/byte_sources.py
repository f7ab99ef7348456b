"""The bytes that are sent for a track: its file, its object, or its samples as a WAV file.

All of them are read in blocks of 256 KiB or one second, so memory use depends neither
on the size of a file nor on the number of players.
"""

import os
import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mirpipe.audio import decode, open_regular_file
from mirpipe.db.queries import FileLocation
from mirpipe.errors import RejectedInput
from mirpipe.files.addresses import S3Address
from mirpipe.storage.local_copies import local_copy
from mirpipe.storage.objects import current_version, read_range

MEDIA_TYPES = {
    "WAV": "audio/wav",
    "WAVEX": "audio/wav",
    "FLAC": "audio/flac",
    "OGG": "audio/ogg",
    "Ogg": "audio/ogg",
    "MP3": "audio/mpeg",
    "AAC": "audio/aac",
    "MP4": "audio/mp4",
    "Matroska": "audio/webm",
}
"""Media types of the containers that browsers can play, by container name."""

_BLOCK_BYTES = 1 << 18
_HEADER_BYTES = 44
_MAX_WAV_BYTES = 2**32 - 1

Blocks = Generator[bytes, None, None]


@dataclass(frozen=True)
class ByteSource:
    """Bytes of which any range can be read."""

    size: int
    etag: str
    """Strong ETag, in quotation marks. It changes whenever the bytes change."""
    media_type: str
    read: Callable[[int, int], Blocks]
    """Yields the bytes from a position to another position, in blocks."""


def stored_bytes(file: FileLocation) -> ByteSource:
    """Return the bytes of a file or an object as they are.

    Raises RejectedInput for a file that cannot be read, and the errors of `bucket_of`.
    """
    media_type = MEDIA_TYPES[file.format]
    if isinstance(file.path, S3Address):
        size, etag = file.size, file.etag
        if etag is None:
            version = current_version(file.path)
            size, etag = version.size, version.etag
        return ByteSource(size, etag, media_type, partial(read_range, file.path, etag))
    with open_regular_file(file.path) as descriptor:
        status = os.fstat(descriptor)
    etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    return ByteSource(status.st_size, etag, media_type, partial(_read_file, file.path))


def decoded_bytes(file: FileLocation) -> ByteSource:
    """Return the samples of a file as a WAV file with 16 bits per sample.

    The file is decoded from its start up to the end of the requested range. Raises RejectedInput if
    the track's length is unknown.
    """
    if file.seconds is None or file.sample_rate is None or file.channels is None:
        raise RejectedInput("not_audio", f"{file.shown} has not been decoded by an ingest.")
    frame_bytes = 2 * file.channels
    # A WAV file cannot be larger. Its header has 32 bits for the size.
    frames = min(
        round(file.seconds * file.sample_rate), (_MAX_WAV_BYTES - _HEADER_BYTES) // frame_bytes
    )
    header = _wav_header(frames, file.channels, file.sample_rate)
    return ByteSource(
        _HEADER_BYTES + frames * frame_bytes,
        f'"{file.content_sha256}-wav"',
        "audio/wav",
        partial(_read_decoded, file, header),
    )


def _read_file(path: Path, start: int, stop: int) -> Blocks:
    with open_regular_file(path) as descriptor:
        while start < stop:
            block = os.pread(descriptor, min(_BLOCK_BYTES, stop - start), start)
            if not block:
                return
            start += len(block)
            yield block


def _read_decoded(file: FileLocation, header: bytes, start: int, stop: int) -> Blocks:
    if start < len(header):
        yield header[start:stop]
    position = len(header)
    if stop <= position:
        return
    with (
        local_copy(file.path, file.etag) as path,
        decode(path, block_seconds=1.0) as audio,
    ):
        for block in audio.blocks:
            samples = np.rint(np.clip(block, -1, 1) * 32767).astype("<i2").tobytes()
            wanted = samples[max(0, start - position) : max(0, stop - position)]
            position += len(samples)
            yield wanted  # Also if it is empty, so that a client that leaves ends the decoding.
            if position >= stop:
                return


def _wav_header(frames: int, channels: int, sample_rate: int) -> bytes:
    """Return the header of a WAV file. The module `wave` cannot write one before the samples."""
    frame_bytes = 2 * channels
    size = frames * frame_bytes
    form = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, 1, channels, sample_rate, sample_rate * frame_bytes,
        frame_bytes, 16,
    )  # fmt: skip
    return (
        struct.pack("<4sI4s", b"RIFF", _HEADER_BYTES - 8 + size, b"WAVE")
        + form
        + struct.pack("<4sI", b"data", size)
    )
