"""Uses the program ffmpeg to decode M4A, AAC, WMA and other formats that libsndfile cannot read.

ffmpeg writes the decoded samples to a pipe as 32-bit floats in AU format. An AU file starts with a
short header, which contains the sample rate and the number of channels. The samples follow the
header.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from mirpipe.audio.limits import require_supported_format
from mirpipe.audio.rejected_files import TRUNCATED_REMEDY, no_frames_error, not_audio_error
from mirpipe.errors import RejectedInput
from mirpipe.files.printable_path import AnyPath, printable_path
from mirpipe.records import Float32

# Containers that only ffmpeg can read: position of the identifying bytes, the bytes, and the name.
_MARKS = [
    (4, b"ftyp", "MP4"),
    (4, b"moov", "MP4"),
    (4, b"mdat", "MP4"),
    (4, b"wide", "MP4"),
    (0, b"\x1aE\xdf\xa3", "Matroska"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "ASF"),
    (0, b"wvpk", "WavPack"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"TTA1", "TTA"),
    (0, b"tBaK", "TAK"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"#!AMR", "AMR"),
    (0, b"\x0bw", "AC-3"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b"FLV\x01", "Flash"),
    (0, b"DSD ", "DSD"),
    (0, b"FRM8", "DSD"),
    (0, b".RMF", "RealMedia"),
]
# Containers that libsndfile can also read if it supports the codec inside.
_LIBSNDFILE_CONTAINERS = {
    b"RIFF": "WAV",
    b"FORM": "AIFF",
    b"caff": "CAF",
    b"fLaC": "FLAC",
    b"OggS": "OGG",
}
HEAD_BYTES = 16
"""Number of bytes at the start of a file that are needed to recognise its container."""
# Only audio containers are allowed, because a playlist could make ffmpeg open other files.
_DEMUXERS = (
    "mov,aac,matroska,asf,wv,ape,tta,tak,mpc,mpc8,amr,ac3,eac3,dts,flv,dsf,iff,rm,"
    "flac,ogg,wav,avi,aiff,caf,mp3"
)
_AU_HEADER_BYTES = 24


def has_ffmpeg() -> bool:
    """Return whether the program ffmpeg is installed."""
    return shutil.which("ffmpeg") is not None


def safe_input(path: Path) -> list[str]:
    """Return the options with which ffmpeg and ffprobe read this file and no other."""
    # Without "file:", ffmpeg could interpret the path as an option, a protocol or a pattern.
    source = f"file:{path.absolute()}"
    return ["-protocol_whitelist", "file", "-format_whitelist", _DEMUXERS, "-i", source]


def container_name(head: bytes) -> str | None:
    """Return the name of the container that a file's first bytes identify, or None if unknown."""
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "AAC"
    for position, mark, name in _MARKS:
        if head[position : position + len(mark)] == mark:
            return name
    return _LIBSNDFILE_CONTAINERS.get(head[:4])


def should_decode(head: bytes) -> bool:
    """Return whether to try ffmpeg for a file that libsndfile cannot open.

    `head` contains the file's first bytes. The result can be True even if ffmpeg is not installed;
    in that case, the error that `decode` raises asks the user to install it.
    """
    if head[:3] == b"ID3" or head[:4] in _LIBSNDFILE_CONTAINERS:
        # Most of these files are damaged, so installing ffmpeg would rarely help. The user is not
        # asked to install it.
        return has_ffmpeg()
    return container_name(head) is not None


@contextmanager
def decode(path: AnyPath, *, block_seconds: float) -> Iterator[tuple[int, int, Iterator[Float32]]]:
    """Yield the sample rate, number of channels and blocks of the first audio stream.

    A block has the shape (frames, channels). ffmpeg is stopped when the context ends. Raises
    RejectedInput with one of the reasons needs_ffmpeg, not_audio, absurd_header, truncated and
    no_frames.
    """
    name = printable_path(path)
    program = shutil.which("ffmpeg")
    if program is None:
        raise RejectedInput(
            "needs_ffmpeg",
            f"{name} can only be decoded with the program ffmpeg. Install it (Debian: apt-get "
            "install ffmpeg) and ingest the folder again.",
        )
    with tempfile.TemporaryFile() as errors, _running(program, path, errors) as process:
        assert process.stdout is not None
        header = process.stdout.read(_AU_HEADER_BYTES)
        if len(header) < _AU_HEADER_BYTES:
            process.wait()
            raise _no_output_error(_first_errors(errors), name)
        offset, _, _, rate, channels = (int.from_bytes(header[i : i + 4]) for i in range(4, 24, 4))
        require_supported_format(rate, channels, name)
        process.stdout.read(offset - _AU_HEADER_BYTES)
        block_frames = max(1, int(block_seconds * rate))
        yield rate, channels, _read_blocks(process, errors, block_frames, channels, name)


@contextmanager
def _running(program: str, path: AnyPath, errors: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    options = ["-nostdin", "-hide_banner", "-v", "error", "-xerror", "-threads", "1"]
    reading = safe_input(Path(os.fsdecode(path)))
    writing = ["-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "-protocol_whitelist", "pipe"]
    process = subprocess.Popen(
        [program, *options, *reading, *writing, "pipe:1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
    )
    try:
        yield process
    finally:
        process.kill()
        assert process.stdout is not None
        process.stdout.close()
        process.wait()


def _read_blocks(
    process: subprocess.Popen[bytes],
    errors: IO[bytes],
    block_frames: int,
    channels: int,
    name: str,
) -> Iterator[Float32]:
    assert process.stdout is not None
    frame_bytes = 4 * channels
    decoded = 0
    while data := process.stdout.read(block_frames * frame_bytes):
        frames = len(data) // frame_bytes
        decoded += frames
        samples = np.frombuffer(data, dtype=">f4", count=frames * channels)
        yield samples.astype(np.float32).reshape(frames, channels)
    has_failed = process.wait() != 0
    message = _first_errors(errors)
    if has_failed or "ended prematurely" in message:
        cause = message or "ffmpeg failed"
        raise RejectedInput(
            "truncated", f"{name} cannot be decoded to its end ({cause}). {TRUNCATED_REMEDY}"
        )
    if not decoded:
        raise no_frames_error(name)


def _no_output_error(message: str, name: str) -> RejectedInput:
    """Return the error for a file that ffmpeg cannot open. `message` is ffmpeg's error message."""
    if "moov atom not found" in message:
        return RejectedInput(
            "truncated", f"The index (moov) of {name} is missing. {TRUNCATED_REMEDY}"
        )
    return not_audio_error(name, message or "ffmpeg failed")


def _first_errors(errors: IO[bytes]) -> str:
    """Return the first lines of ffmpeg's errors, without the parts that differ between runs."""
    errors.seek(0)
    lines = errors.read(2000).decode(errors="replace").splitlines()[:3]
    return "; ".join(re.sub(r" @ 0x[0-9a-f]+|file:/.*?: ", "", line) for line in lines)
