"""Uses the program ffmpeg to decode what libsndfile cannot read, and what is damaged.

ffmpeg writes the decoded samples to a pipe as 32-bit floats in WAV format. A WAV file starts with
chunks that contain the sample rate, the number of channels and the loudspeaker positions. The
samples follow. ffmpeg goes on after damaged audio and leaves it out. If it has reported errors, a
second run finds out where audio is missing.
"""

import errno
import io
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from mirpipe.audio import ffmpeg_messages
from mirpipe.audio.containers import HEAD_BYTES, container_name, declares_length
from mirpipe.audio.ffmpeg_messages import MessageReader
from mirpipe.audio.file_part import FilePart
from mirpipe.audio.hanging_programs import OutputWithLimit
from mirpipe.audio.limits import require_supported_format
from mirpipe.audio.losses import Loss, damage, early_end, incomplete_end, unknown_length
from mirpipe.audio.rejected_files import (
    needs_ffmpeg_error,
    no_sound_error,
    not_audio_error,
    truncated_error,
    unreadable_error,
)
from mirpipe.errors import RejectedInput
from mirpipe.files.printable_path import AnyPath
from mirpipe.records import Float32

# Only audio containers are allowed, because a playlist could make ffmpeg open other files.
_DEMUXERS = (
    "mov,aac,matroska,asf,wv,ape,tta,tak,mpc,mpc8,amr,ac3,eac3,dts,flv,dsf,iff,rm,"
    "flac,ogg,wav,avi,aiff,caf,mp3"
)
_OPTIONS = ["-nostdin", "-hide_banner", "-nostats", "-v", "level+info", "-threads", "1"]
# In a fragmented MP4, the encoder delay that an edit list declares has negative timestamps, and
# ffmpeg would write it.
_FROM_TIME_ZERO = ["-copyts", "-af", "atrim=start=0"]
_TOLERATED_SECONDS = 0.1  # Containers round their length, and codecs add padding.
# Texts of errors of a network drive. The text of EIO is not one of them, because ffmpeg also
# reports it for a file that is cut.
_NETWORK_ERRORS = [
    os.strerror(code)
    for code in (
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.ENOTCONN,
        errno.ECONNRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENODEV,
        errno.ENXIO,
        errno.EREMOTEIO,
    )
]


@dataclass(frozen=True)
class FfmpegStream:
    """The audio of a file, as ffmpeg decodes it."""

    sample_rate: int
    channels: int
    channel_mask: int | None
    """Loudspeaker positions of the channels, as the bits of WAVEFORMATEXTENSIBLE, or None."""
    blocks: Iterator[Float32]
    """Blocks of shape (frames, channels)."""
    losses: list[Loss]
    """What ffmpeg could not read. The list is complete after the last block."""


def has_ffmpeg() -> bool:
    """Return whether the program ffmpeg is installed."""
    return shutil.which("ffmpeg") is not None


@contextmanager
def decode(
    path: AnyPath, part: FilePart, *, block_seconds: float, declared_seconds: float | None = None
) -> Iterator[FfmpegStream]:
    """Yield the first audio stream of a part of a file.

    `declared_seconds` is the length that the file declares, if the caller knows it. ffmpeg is
    stopped when the context ends, or if it hangs. Raises RejectedInput with one of the reasons
    needs_ffmpeg, not_audio, no_sound, absurd_header, truncated and unreadable.
    """
    writing = ["-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "wav", "-protocol_whitelist", "pipe"]
    if container_name(part.read_at(0, HEAD_BYTES)) == "MP4":
        writing = [*_FROM_TIME_ZERO, *writing]
    with _running([*input_arguments(path, part), *writing, "pipe:1"], part.name) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        messages = MessageReader(process.stderr)
        output = io.BufferedReader(OutputWithLimit(process.stdout, part.name))
        wav_format = _read_wav_header(output)
        if wav_format is None:
            process.wait()
            raise _no_output_error(messages.text(), part)
        rate, channels, mask = wav_format
        require_supported_format(rate, channels, part.name)
        losses: list[Loss] = []

        def read_blocks() -> Iterator[Float32]:
            decoded = 0
            for block in _read_blocks(output, max(1, int(block_seconds * rate)), channels):
                decoded += len(block)
                yield block
            has_failed = process.wait() != 0
            text = messages.text()
            losses.extend(_losses(path, part, text, decoded / rate, declared_seconds, has_failed))

        yield FfmpegStream(rate, channels, mask, read_blocks(), losses)


def find_gaps(path: AnyPath, part: FilePart) -> list[tuple[float, float]]:
    """Return the position and duration, in seconds, of the damaged audio that ffmpeg leaves out."""
    return _gaps_and_end(path, part)[0]


def input_arguments(path: AnyPath, part: FilePart) -> list[str]:
    """Return the arguments with which ffmpeg or ffprobe reads this part of the file."""
    # Without "file:", ffmpeg could interpret the path as an option, a protocol or a pattern.
    url = f"file:{Path(os.fsdecode(path)).absolute()}"
    if not part.is_complete_file:
        url = f"subfile,,start,{part.start},end,{part.end},,:{url}"
    # The checksum of each FLAC frame is compared, and a frame with a wrong one is left out.
    is_flac = part.read_at(0, 4) == b"fLaC"
    checks = ["-err_detect", "crccheck+explode"] if is_flac else []
    return [
        *checks, "-protocol_whitelist", "file,subfile", "-format_whitelist", _DEMUXERS, "-i", url
    ]  # fmt: skip


@contextmanager
def _running(arguments: Sequence[str], name: str) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which("ffmpeg")
    if program is None:
        raise needs_ffmpeg_error(name, "")
    process = subprocess.Popen(
        [program, *_OPTIONS, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _read_wav_header(output: IO[bytes]) -> tuple[int, int, int | None] | None:
    """Return the sample rate, the number of channels and the channel mask, or None if the output
    is empty."""
    if len(output.read(12)) < 12:
        return None
    rate, channels, mask = 0, 0, None
    while len(head := output.read(8)) == 8 and head[:4] != b"data":
        content = output.read(int.from_bytes(head[4:], "little"))
        if head[:4] == b"fmt ":
            channels = int.from_bytes(content[2:4], "little")
            rate = int.from_bytes(content[4:8], "little")
            mask = int.from_bytes(content[20:24], "little") or None
    return rate, channels, mask


def _read_blocks(output: IO[bytes], block_frames: int, channels: int) -> Iterator[Float32]:
    frame_bytes = 4 * channels
    while data := output.read(block_frames * frame_bytes):
        frames = len(data) // frame_bytes
        samples = np.frombuffer(data, dtype="<f4", count=frames * channels)
        yield samples.astype(np.float32).reshape(frames, channels)


def _losses(
    path: AnyPath,
    part: FilePart,
    messages: str,
    decoded: float,
    declared: float | None,
    has_failed: bool,
) -> list[Loss]:
    """Return what is missing in the `decoded` seconds of audio."""
    problems = ffmpeg_messages.errors(messages)
    _require_readable(part, problems)
    gaps, ends_in_error = _gaps_and_end(path, part) if problems or has_failed else ([], False)
    losses = [damage(position, seconds) for position, seconds in gaps]
    if declared is None and (ends_in_error or ffmpeg_messages.has_one_stream(messages)):
        declared = ffmpeg_messages.declared_seconds(messages)
    missing = (declared or 0.0) - decoded - sum(seconds for _, seconds in gaps)
    if missing > _TOLERATED_SECONDS:
        losses.append(early_end(decoded, missing))
    elif declared is None and not declares_length(part.read_at(0, HEAD_BYTES)):
        if ends_in_error:
            losses.append(incomplete_end(decoded, "The last frame"))
    elif declared is None and ends_in_error:
        raise truncated_error(part.name, f"breaks off after {decoded:.1f} s")
    elif "duplicated MOOV" in messages or has_failed or _stops_reading(problems):
        raise RejectedInput(
            "truncated",
            f"{part.name} cannot be read after {decoded:.1f} s, although the file goes on. It is "
            "damaged, or it consists of several joined files. Copy it again, or split it.",
        )
    elif ffmpeg_messages.is_length_estimated(messages):
        losses.append(unknown_length())
    return losses


def _stops_reading(problems: Sequence[str]) -> bool:
    """Return whether ffmpeg could not read further. The line then begins with the file's path."""
    return any("[error] file:" in line or "[error] subfile," in line for line in problems)


def _gaps_and_end(path: AnyPath, part: FilePart) -> tuple[list[tuple[float, float]], bool]:
    arguments = [
        *input_arguments(path, part),
        "-map",
        "0:a:0",
        "-af",
        "ashowinfo",
        "-f",
        "null",
        "-",
    ]
    with _running(arguments, part.name) as process:
        assert process.stderr is not None
        messages = OutputWithLimit(process.stderr, part.name)
        with process.stderr, io.BufferedReader(messages) as lines:
            return ffmpeg_messages.find_gaps(lines)


def _no_output_error(messages: str, part: FilePart) -> RejectedInput:
    """Return the error for a file that ffmpeg cannot open."""
    _require_readable(part, ffmpeg_messages.errors(messages))
    if "moov atom not found" in messages:
        return truncated_error(part.name, "has lost its index (moov)")
    if "matches no streams" in messages:
        return no_sound_error(part.name)
    return not_audio_error(part.name)


def _require_readable(part: FilePart, problems: Sequence[str]) -> None:
    """Raise RejectedInput with the reason unreadable if reading the file's bytes has failed."""
    for text in _NETWORK_ERRORS:
        if any(line.endswith(text) for line in problems):
            raise unreadable_error(part.name, OSError(0, text))
    if any(line.endswith(os.strerror(errno.EIO)) for line in problems):
        for position in range(0, part.size, 1 << 20):
            part.read_at(position, 1 << 20)
