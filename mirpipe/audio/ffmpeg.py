"""Decodes by the program ffmpeg what libsndfile does not know: AAC, M4A, Matroska, WMA, more."""

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

from mirpipe.audio.limits import check_shape
from mirpipe.audio.regular_files import Name, show
from mirpipe.errors import RejectedInput
from mirpipe.records import Float32

# Where a container's mark stands, the mark, and the container's name.
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
# libsndfile's own containers may hold a codec that it does not know.
_NATIVE = {b"RIFF": "WAV", b"FORM": "AIFF", b"caff": "CAF", b"fLaC": "FLAC", b"OggS": "OGG"}
HEAD_BYTES = 16
"""Of a file's beginning, enough to know its container."""
# Only what holds audio: no playlists, which open other files, and no images or subtitles.
_DEMUXERS = (
    "mov,aac,matroska,asf,wv,ape,tta,tak,mpc,mpc8,amr,ac3,eac3,dts,flv,dsf,iff,rm,"
    "flac,ogg,wav,avi,aiff,caf,mp3"
)
_AU_HEADER_BYTES = 24


def has_ffmpeg() -> bool:
    """Whether this machine can decode what libsndfile cannot."""
    return shutil.which("ffmpeg") is not None


def container(head: bytes) -> str | None:
    """The container that a file's first bytes announce; None where it is not known."""
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "AAC"
    foreign = (name for at, mark, name in _MARKS if head[at : at + len(mark)] == mark)
    return next(foreign, _NATIVE.get(head[:4]))


def may_read(head: bytes) -> bool:
    """Whether ffmpeg, installed or not, is the one to read what libsndfile refused."""
    tagged = head[:3] == b"ID3"
    if tagged or head[:4] in _NATIVE:
        return has_ffmpeg()  # where it is missing, installing it would hardly help
    return container(head) is not None


@contextmanager
def decode(path: Name, *, block_seconds: float) -> Iterator[tuple[int, int, Iterator[Float32]]]:
    """Sample rate, channels and blocks of the first audio stream; ffmpeg ends with the context.

    Raises RejectedInput: needs_ffmpeg, not_audio, absurd_header, truncated, no_frames.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise RejectedInput(
            "needs_ffmpeg",
            f"{show(path)} needs the program ffmpeg (Debian: apt-get install ffmpeg)",
        )
    with tempfile.TemporaryFile() as said, _running(program, path, said) as process:
        assert process.stdout is not None
        header = process.stdout.read(_AU_HEADER_BYTES)
        if len(header) < _AU_HEADER_BYTES:
            process.wait()
            raise _no_audio(_complaint(said), path)
        offset, _, _, rate, channels = (int.from_bytes(header[i : i + 4]) for i in range(4, 24, 4))
        check_shape(rate, channels, show(path))
        process.stdout.read(offset - _AU_HEADER_BYTES)
        frames = max(1, int(block_seconds * rate))
        yield rate, channels, _blocks(process, said, frames, channels, show(path))


@contextmanager
def _running(program: str, path: Name, said: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    # "file:" keeps ffmpeg from reading a name as an option, a protocol or a pattern. AU is raw
    # samples after a header that says rate and channels.
    source = f"file:{Path(os.fsdecode(path)).absolute()}"
    options = ["-nostdin", "-hide_banner", "-v", "error", "-xerror", "-threads", "1"]
    reading = ["-protocol_whitelist", "file", "-format_whitelist", _DEMUXERS, "-i", source]
    writing = ["-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "-protocol_whitelist", "pipe"]
    process = subprocess.Popen(
        [program, *options, *reading, *writing, "pipe:1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=said,
    )
    try:
        yield process
    finally:
        process.kill()
        assert process.stdout is not None
        process.stdout.close()
        process.wait()


def _blocks(
    process: subprocess.Popen[bytes], said: IO[bytes], frames: int, channels: int, name: str
) -> Iterator[Float32]:
    assert process.stdout is not None
    frame_bytes = 4 * channels
    decoded = 0
    while data := process.stdout.read(frames * frame_bytes):
        whole = len(data) // frame_bytes
        decoded += whole
        samples = np.frombuffer(data, dtype=">f4", count=whole * channels)
        yield samples.astype(np.float32).reshape(whole, channels)
    failed = process.wait() != 0
    complaint = _complaint(said)
    if failed or "ended prematurely" in complaint:
        raise RejectedInput("truncated", f"{name} breaks off: {complaint or 'ffmpeg failed'}")
    if not decoded:
        raise RejectedInput("no_frames", f"{name} holds no samples")


def _no_audio(complaint: str, path: Name) -> RejectedInput:
    if "moov atom not found" in complaint:
        return RejectedInput("truncated", f"{show(path)} breaks off before its index (moov)")
    return RejectedInput("not_audio", f"{show(path)} is not audio: {complaint or 'ffmpeg failed'}")


def _complaint(said: IO[bytes]) -> str:
    """The first lines that ffmpeg said, without what differs from run to run."""
    said.seek(0)
    lines = said.read(2000).decode(errors="replace").splitlines()[:3]
    return "; ".join(re.sub(r" @ 0x[0-9a-f]+|file:/.*?: ", "", line) for line in lines)
