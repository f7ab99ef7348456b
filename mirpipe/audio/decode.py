"""Decodes a file block by block: libsndfile first, ffmpeg for what libsndfile cannot open."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import soundfile

from mirpipe.audio import ffmpeg
from mirpipe.audio.headers import check_declared, mp3_declares_length
from mirpipe.audio.limits import check_shape
from mirpipe.audio.regular_files import Name, open_regular, show
from mirpipe.errors import RejectedInput
from mirpipe.records import Float32

BLOCK_SECONDS = 10.0
_FORMATS = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"}
_ABSURD = {24, 32, 33}  # libsndfile: rate out of range, no channel, too many channels
_UNKNOWN_FRAMES = 2**62  # libsndfile says so of a FLAC that was written to a pipe
_MP3_MARGIN_FRAMES = 2 * 1152  # encoders differ in what padding they declare
_MP3_UNREAD_BYTES = 4096
_NUMPY_ADDS_IN_PAIRS = 8  # from so many numbers on, and before in order


@dataclass(frozen=True)
class Audio:
    """A file being decoded."""

    sample_rate: int
    channels: int
    format: str
    blocks: Iterator[Float32]
    """Shape (frames, channels), full scale ±1; raises RejectedInput where decoding breaks off."""


def mix(block: Float32) -> Float32:
    """The mean of a block's channels, shape (frames,), the same bits as `librosa.to_mono`."""
    channels = block.shape[1]
    mixed: Float32
    if channels >= _NUMPY_ADDS_IN_PAIRS:
        mixed = np.mean(block, axis=1, dtype=np.float32)
    else:  # ten times as fast
        columns = [block[:, channel] for channel in range(channels)]
        mixed = np.add.reduce(columns) / np.float32(channels)
    return mixed


class _Forward(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """Is read from beginning to end: no seek, which soundfile does after every other read.

    A seek within an MP3 forgets the bit reservoir, and the samples after it are wrong.
    """

    def seekable(self) -> bool:
        return False


@contextmanager
def decode(path: Name, *, block_seconds: float = BLOCK_SECONDS) -> Iterator[Audio]:
    """The audio in `path`, its blocks read as they are asked for.

    Raises RejectedInput, here or while the blocks are read: unreadable, not_a_file, empty,
    too_large, not_audio, needs_ffmpeg, absurd_header, no_frames, truncated,
    unknown_length.
    """
    with open_regular(path) as descriptor:
        check_declared(descriptor, os.fstat(descriptor).st_size, show(path))
        os.lseek(descriptor, 0, os.SEEK_SET)
        sound = _open(descriptor, path)
        if sound is None:
            kind = ffmpeg.container(os.pread(descriptor, ffmpeg.HEAD_BYTES, 0)) or "ffmpeg"
            with ffmpeg.decode(path, block_seconds=block_seconds) as (rate, channels, blocks):
                yield Audio(rate, channels, kind, blocks)
            return
        with sound:
            check_shape(sound.samplerate, sound.channels, show(path))
            frames = max(1, int(block_seconds * sound.samplerate))
            blocks = _checked(_blocks(sound, frames, show(path)), sound, descriptor, show(path))
            yield Audio(sound.samplerate, sound.channels, sound.format, blocks)


def _open(descriptor: int, path: Name) -> soundfile.SoundFile | None:
    """The file as libsndfile sees it; None where ffmpeg should try."""
    try:
        # A descriptor, because libsndfile reads "-" as standard input and guesses by suffix.
        sound = _Forward(os.dup(descriptor), closefd=True)
    except soundfile.LibsndfileError as error:
        if error.code in _ABSURD:
            raise RejectedInput("absurd_header", f"{show(path)}: {error.error_string}") from error
        if ffmpeg.may_read(os.pread(descriptor, ffmpeg.HEAD_BYTES, 0)):
            return None
        said = error.error_string.rstrip(".")
        raise RejectedInput("not_audio", f"{show(path)} is not audio: {said}") from error
    if sound.format not in _FORMATS:
        sound.close()
        raise RejectedInput("not_audio", f"{show(path)}: format {sound.format} is not supported")
    return sound


def _blocks(sound: soundfile.SoundFile, frames: int, name: str) -> Iterator[Float32]:
    decoded = 0
    # Never more than libsndfile counts: it would read on and throw the samples away.
    while (wanted := min(frames, sound.frames - decoded)) > 0:
        try:
            block = sound.read(wanted, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            seconds = decoded / sound.samplerate
            raise RejectedInput("truncated", f"{name} breaks off after {seconds:.1f} s") from error
        if not len(block):
            return
        decoded += len(block)
        yield np.ascontiguousarray(block)


def _checked(
    blocks: Iterator[Float32], sound: soundfile.SoundFile, descriptor: int, name: str
) -> Iterator[Float32]:
    """The same blocks; at their end, whether they are all that there should be."""
    declared, estimated = _declared_frames(sound, descriptor)
    decoded = 0
    for block in blocks:
        decoded += len(block)
        yield block
    if decoded < declared:
        raise RejectedInput(
            "truncated",
            f"{name} declares {declared / sound.samplerate:.1f} s "
            f"and holds {decoded / sound.samplerate:.1f} s",
        )
    if decoded == estimated and _unread_bytes(descriptor) > _MP3_UNREAD_BYTES:
        raise RejectedInput(
            "unknown_length",
            f"{name} varies in bit rate and does not say how long it is: "
            "rewrite it with `ffmpeg -i in.mp3 -c copy out.mp3`",
        )
    if not decoded:
        raise RejectedInput("no_frames", f"{name} holds no samples")


def _declared_frames(sound: soundfile.SoundFile, descriptor: int) -> tuple[int, int]:
    """Frames below which the file is truncated, and an estimate at which libsndfile would stop.

    Either is 0 where it does not apply.
    """
    if sound.format == "MP3":
        if mp3_declares_length(descriptor):
            return max(0, int(sound.frames) - _MP3_MARGIN_FRAMES), 0
        return 0, int(sound.frames)
    return int(sound.frames) if sound.frames < _UNKNOWN_FRAMES else 0, 0


def _unread_bytes(descriptor: int) -> int:
    # libsndfile reads from a duplicate of the descriptor, which shares its position.
    return os.fstat(descriptor).st_size - os.lseek(descriptor, 0, os.SEEK_CUR)
