"""Decodes an audio file block by block.

libsndfile is used for every file that it can read, and ffmpeg for the others.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import soundfile

from mirpipe.audio import ffmpeg
from mirpipe.audio.limits import require_supported_format
from mirpipe.audio.regular_files import open_regular_file
from mirpipe.audio.rejected_files import TRUNCATED_REMEDY, not_audio_error
from mirpipe.audio.truncation import require_declared_bytes, require_declared_frames
from mirpipe.errors import RejectedInput
from mirpipe.files.printable_path import AnyPath, printable_path
from mirpipe.records import Float32

BLOCK_SECONDS = 10.0
_FORMATS = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"}
# libsndfile's error codes for an unsupported sample rate, for no channels and for too many
# channels.
_HEADER_ERROR_CODES = {24, 32, 33}


@dataclass(frozen=True)
class AudioStream:
    """An audio file that is being decoded."""

    sample_rate: int
    channels: int
    format: str
    blocks: Iterator[Float32]
    """Blocks of decoded samples, each of shape (frames, channels), with full scale at ±1.

    The iterator raises RejectedInput if the file cannot be decoded to the end.
    """


@contextmanager
def decode(path: AnyPath, *, block_seconds: float = BLOCK_SECONDS) -> Iterator[AudioStream]:
    """Yield the file's audio as a stream. A block is decoded only when the caller requests it.

    Raises RejectedInput, either here or while the blocks are read, with one of the reasons
    unreadable, not_a_file, empty, too_large, not_audio, needs_ffmpeg, absurd_header, no_frames,
    truncated and unknown_length.
    """
    name = printable_path(path)
    with open_regular_file(path) as descriptor:
        require_declared_bytes(descriptor, os.fstat(descriptor).st_size, name)
        os.lseek(descriptor, 0, os.SEEK_SET)
        sound = _open_with_libsndfile(descriptor, name)
        if sound is None:
            head = os.pread(descriptor, ffmpeg.HEAD_BYTES, 0)
            container = ffmpeg.container_name(head) or "ffmpeg"
            with ffmpeg.decode(path, block_seconds=block_seconds) as (rate, channels, blocks):
                yield AudioStream(rate, channels, container, blocks)
            return
        with sound:
            require_supported_format(sound.samplerate, sound.channels, name)
            block_frames = max(1, int(block_seconds * sound.samplerate))
            blocks = _read_blocks(sound, block_frames, name)
            blocks = require_declared_frames(blocks, sound, descriptor, name)
            yield AudioStream(sound.samplerate, sound.channels, sound.format, blocks)


class _SequentialSoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A sound file that is read from start to end without seeking.

    If a file is seekable, soundfile seeks after each read. In an MP3, each seek makes libsndfile
    lose the bit reservoir and decode the next samples wrongly.
    """

    def seekable(self) -> bool:
        return False


def _open_with_libsndfile(descriptor: int, name: str) -> soundfile.SoundFile | None:
    """Return the open file, or None if ffmpeg should be tried instead."""
    try:
        # libsndfile receives a descriptor instead of a path, because it reads the path "-" as
        # standard input and guesses the format from a path's suffix.
        sound = _SequentialSoundFile(os.dup(descriptor), closefd=True)
    except soundfile.LibsndfileError as error:
        cause = error.error_string.rstrip(".")
        if error.code in _HEADER_ERROR_CODES:
            raise RejectedInput(
                "absurd_header",
                f"The header of {name} is invalid ({cause}). Copy or convert the file again.",
            ) from error
        if ffmpeg.should_decode(os.pread(descriptor, ffmpeg.HEAD_BYTES, 0)):
            return None
        raise not_audio_error(name, cause) from error
    if sound.format not in _FORMATS:
        sound.close()
        raise not_audio_error(name, f"format {sound.format}")
    return sound


def _read_blocks(sound: soundfile.SoundFile, block_frames: int, name: str) -> Iterator[Float32]:
    decoded = 0
    # Reading stops at libsndfile's frame count, because libsndfile would discard any samples after
    # it.
    while (frames := min(block_frames, sound.frames - decoded)) > 0:
        try:
            block = sound.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            seconds = decoded / sound.samplerate
            raise RejectedInput(
                "truncated", f"{name} cannot be decoded after {seconds:.1f} s. {TRUNCATED_REMEDY}"
            ) from error
        if not len(block):
            return
        decoded += len(block)
        yield np.ascontiguousarray(block)
