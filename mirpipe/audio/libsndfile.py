"""Decodes a part of a file with libsndfile."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from mirpipe.audio.file_part import FilePart
from mirpipe.errors import RejectedInput
from mirpipe.records import Float32, Int16, Int32

_FORMATS = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"}
# libsndfile's error codes for an unsupported sample rate, for no channels and for too many
# channels.
_HEADER_ERROR_CODES = {24, 32, 33}
_UNKNOWN_FRAMES = 2**62  # libsndfile's smallest result for a FLAC that was written to a pipe.


class DecodingStopped(Exception):
    """libsndfile cannot decode the next samples."""


class _SequentialSoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A sound file that is read from start to end without seeking.

    If a file is seekable, soundfile seeks after each read. In an MP3, each seek makes libsndfile
    lose the bit reservoir and decode the next samples wrongly.
    """

    def seekable(self) -> bool:
        return False


def open_part(part: FilePart) -> soundfile.SoundFile | None:
    """Return the open part, or None if libsndfile cannot read it.

    Raises RejectedInput with one of the reasons absurd_header and unreadable.
    """
    part.seek(0)
    try:
        sound = _SequentialSoundFile(part)
    except soundfile.LibsndfileError as error:
        _raise_failure(part)
        if error.code in _HEADER_ERROR_CODES:
            cause = error.error_string.rstrip(".")
            raise RejectedInput(
                "absurd_header",
                f"The header of {part.name} is invalid ({cause}). Copy or convert the file again.",
            ) from error
        return None
    if sound.format not in _FORMATS:
        sound.close()
        return None
    return sound


def declared_frames(sound: soundfile.SoundFile) -> int | None:
    """Return the number of frames that libsndfile expects, or None if it is unknown."""
    return int(sound.frames) if 0 < sound.frames < _UNKNOWN_FRAMES // 2**15 else None


def read_blocks(sound: soundfile.SoundFile, part: FilePart, block_frames: int) -> Iterator[Float32]:
    """Yield blocks of shape (frames, channels), with full scale at ±1.

    Raises DecodingStopped at damaged audio, and RejectedInput with the reason unreadable.
    """
    return _read(sound, part, block_frames, "float32")


def read_integers(
    sound: soundfile.SoundFile, part: FilePart, block_frames: int, dtype: Literal["int16", "int32"]
) -> Iterator[Int16 | Int32]:
    """Yield the same blocks as `read_blocks`, as integers, with full scale at 2^15 or 2^31."""
    return _read(sound, part, block_frames, dtype)


def _read(
    sound: soundfile.SoundFile, part: FilePart, block_frames: int, dtype: str
) -> Iterator[NDArray[Any]]:
    decoded = 0
    # Reading stops at libsndfile's frame count, because libsndfile would discard any samples after
    # it.
    while (frames := min(block_frames, sound.frames - decoded)) > 0:
        try:
            block = sound.read(frames, dtype=dtype, always_2d=True)
        except soundfile.LibsndfileError as error:
            _raise_failure(part)
            raise DecodingStopped(error.error_string) from error
        _raise_failure(part)
        if not len(block):
            return
        decoded += len(block)
        yield np.ascontiguousarray(block)


def _raise_failure(part: FilePart) -> None:
    if part.failure is not None:
        raise part.failure
