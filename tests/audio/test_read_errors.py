"""A network drive that fails while a file is read is not a damaged file.

soundspan#183 and music-assistant/support#6267 report good tracks that were marked bad for ever.
"""

import errno
import os
import stat
from pathlib import Path

import pytest

from mirpipe.audio import decode, load_mono, read_audio_facts
from mirpipe.errors import RejectedInput
from tests.support.encoded_audio import HAS_FFMPEG, encode, encode_with_ffmpeg, music

needs_ffmpeg = pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed")


def fail_after(monkeypatch: pytest.MonkeyPatch, position: int, code: int) -> None:
    """Make every read of the second half of a file fail."""
    pread = os.pread

    def fail(descriptor: int, count: int, offset: int) -> bytes:
        if offset + count > position:
            raise OSError(code, os.strerror(code))
        return pread(descriptor, count, offset)

    monkeypatch.setattr(os, "pread", fail)


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE])
@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_a_read_error_in_the_middle_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, code: int
) -> None:
    path = tmp_path / "a"
    path.write_bytes(encode(kind, music(20.0)))
    fail_after(monkeypatch, path.stat().st_size // 2, code)
    for read in (read_audio_facts, lambda path: load_mono(path, 16_000)):
        with pytest.raises(RejectedInput) as rejected:
            read(path)
        assert rejected.value.reason == "unreadable"
        assert rejected.value.retry
        assert os.strerror(code) in str(rejected.value)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
def test_a_read_error_while_libsndfile_decodes_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(encode(kind, music(40.0)))
    with decode(path, block_seconds=1.0) as audio:
        next(audio.blocks)
        fail_after(monkeypatch, 0, errno.EIO)
        with pytest.raises(RejectedInput) as rejected:
            list(audio.blocks)
    assert rejected.value.reason == "unreadable"


@needs_ffmpeg
@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE])
def test_a_read_error_of_ffmpeg_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = tmp_path / "a.m4a"
    encode_with_ffmpeg(path, "-c:a", "aac", samples=music(5.0))
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '[error] file:a: {os.strerror(code)}' >&2\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    if code == errno.EIO:  # ffmpeg also reports EIO for a cut file, so the file is read again.
        fail_after(monkeypatch, 1000, code)
    with pytest.raises(RejectedInput) as rejected:
        read_audio_facts(path)
    assert rejected.value.reason == "unreadable"
