"""A program that hangs is ended. The file has a true reason, and is tried again."""

from pathlib import Path

import pytest

from mirpipe.audio import decode, hanging_programs, identify
from mirpipe.errors import RejectedInput
from tests.support.encoded_audio import HAS_FFMPEG, encode, encode_with_ffmpeg, music

pytestmark = pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed")
PROBE = "echo aac"
HANG = "exec sleep 600"


@pytest.fixture
def m4a(tmp_path: Path) -> Path:
    path = tmp_path / "a.m4a"
    encode_with_ffmpeg(path, samples=music(2.0))
    return path


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    """Install programs that run these scripts, and shorten the limit for programs that hang."""
    programs = folder / "programs"
    programs.mkdir()
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/bin")
    monkeypatch.setattr(hanging_programs, "IDLE_SECONDS", 0.2)


@pytest.mark.parametrize(("ffmpeg", "ffprobe"), [(HANG, PROBE), ("exit 1", HANG)])
def test_a_hanging_program_ends_the_identification(
    m4a: Path, monkeypatch: pytest.MonkeyPatch, ffmpeg: str, ffprobe: str
) -> None:
    install(m4a.parent, monkeypatch, ffmpeg=ffmpeg, ffprobe=ffprobe)
    with pytest.raises(RejectedInput, match="returned nothing") as raised:
        identify(m4a)
    assert (raised.value.reason, raised.value.retry) == ("unreadable", True)


@pytest.mark.parametrize("output_bytes", [0, 20, 1000])
def test_a_decoder_that_hangs_at_the_start_or_later_is_ended(
    m4a: Path, monkeypatch: pytest.MonkeyPatch, output_bytes: int
) -> None:
    output = m4a.with_name("output.wav")
    output.write_bytes(encode("WAV", music(2.0), subtype="FLOAT")[:output_bytes])
    install(m4a.parent, monkeypatch, ffmpeg=f"cat '{output}'; {HANG}", ffprobe=PROBE)
    with (
        pytest.raises(RejectedInput, match="returned nothing") as raised,
        decode(m4a) as audio,
    ):
        list(audio.blocks)
    assert (raised.value.reason, raised.value.retry) == ("unreadable", True)
