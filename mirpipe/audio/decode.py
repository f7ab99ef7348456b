"""Decodes a file block by block: libsndfile first, ffmpeg for what libsndfile cannot open."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import soundfile

from mirpipe.audio import ffmpeg
from mirpipe.audio.files import Name, open_regular, show
from mirpipe.audio.headers import check_declared, mp3_declared_frames
from mirpipe.audio.limits import MAX_BYTES, check_shape
from mirpipe.errors import RejectedInput
from mirpipe.records import Float32

BLOCK_SECONDS = 10.0
_FORMATS = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"}
_ABSURD = {24, 32, 33}  # libsndfile: rate out of range, no channel, too many channels
_UNKNOWN_FRAMES = 2**62  # libsndfile says so of a FLAC that was written to a pipe
_MP3_MARGIN_SECONDS = 0.1  # encoders differ in what padding they declare


@dataclass(frozen=True)
class Audio:
    """A file being decoded."""

    sample_rate: int
    channels: int
    format: str
    blocks: Iterator[Float32]
    """Shape (frames, channels), full scale ±1; raises RejectedInput where decoding breaks off."""


@contextmanager
def decode(path: Name, *, block_seconds: float = BLOCK_SECONDS) -> Iterator[Audio]:
    """The audio in `path`, its blocks read as they are asked for.

    Raises RejectedInput, here or while the blocks are read: unreadable, not_a_file, empty,
    too_large, not_audio, needs_ffmpeg, absurd_header, no_frames, truncated.
    """
    with open_regular(path) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > MAX_BYTES:
            raise RejectedInput("too_large", f"{show(path)} holds {size:,} bytes")
        check_declared(descriptor, size, show(path))
        os.lseek(descriptor, 0, os.SEEK_SET)
        sound = _open(descriptor, path)
        if sound is None:
            kind = ffmpeg.container(os.pread(descriptor, 64, 0)) or ""
            with ffmpeg.decode(path, block_seconds=block_seconds) as (rate, channels, blocks):
                yield Audio(rate, channels, kind, blocks)
            return
        with sound:
            check_shape(sound.samplerate, sound.channels, show(path))
            declared = _declared_frames(sound, descriptor)
            frames = max(1, int(block_seconds * sound.samplerate))
            blocks = _blocks(sound, declared, frames, show(path))
            yield Audio(sound.samplerate, sound.channels, sound.format, blocks)


def _open(descriptor: int, path: Name) -> soundfile.SoundFile | None:
    """The file as libsndfile sees it; None where ffmpeg should try."""
    try:
        # A descriptor, because libsndfile reads "-" as standard input and guesses by suffix.
        sound = soundfile.SoundFile(os.dup(descriptor), closefd=True)
    except soundfile.LibsndfileError as error:
        if error.code in _ABSURD:
            raise RejectedInput("absurd_header", f"{show(path)}: {error.error_string}") from error
        if ffmpeg.container(os.pread(descriptor, 64, 0)):
            return None
        said = error.error_string.rstrip(".")
        raise RejectedInput("not_audio", f"{show(path)} is not audio: {said}") from error
    if sound.format not in _FORMATS:
        sound.close()
        raise RejectedInput("not_audio", f"{show(path)}: format {sound.format} is not supported")
    if sound.frames >= _UNKNOWN_FRAMES:
        sound.close()
        return None
    return sound


def _declared_frames(sound: soundfile.SoundFile, descriptor: int) -> int:
    """Frames below which the file is truncated; 0 where it declares nothing."""
    if sound.format == "MP3":
        # Without a Xing header libsndfile estimates the count.
        margin = int(_MP3_MARGIN_SECONDS * sound.samplerate)
        return mp3_declared_frames(descriptor) - margin
    return int(sound.frames)


def _blocks(sound: soundfile.SoundFile, declared: int, frames: int, name: str) -> Iterator[Float32]:
    decoded = 0
    while True:
        try:
            block = sound.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            seconds = decoded / sound.samplerate
            raise RejectedInput("truncated", f"{name} breaks off after {seconds:.1f} s") from error
        if not len(block):
            break
        decoded += len(block)
        yield np.ascontiguousarray(block)
    if decoded < declared:
        raise RejectedInput(
            "truncated",
            f"{name} declares {declared / sound.samplerate:.1f} s "
            f"and holds {decoded / sound.samplerate:.1f} s",
        )
    if not decoded:
        raise RejectedInput("no_frames", f"{name} holds no samples")
