"""Decoding in blocks, by libsndfile and by ffmpeg."""

import shutil
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from mirpipe.audio import decode, inspect
from mirpipe.errors import RejectedInput
from tests.support import hostile_files

needs_ffmpeg = pytest.mark.skipif(not hostile_files.HAS_FFMPEG, reason="ffmpeg is not installed")


def decoded(path: Path, block_seconds: float) -> np.ndarray:
    with decode(path, block_seconds=block_seconds) as audio:
        return np.concatenate(list(audio.blocks))


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize(("rate", "channels"), [(22_050, 1), (44_100, 2)])
def test_the_size_of_blocks_does_not_change_a_sample(
    tmp_path: Path, kind: str, rate: int, channels: int
) -> None:
    path = tmp_path / "a"
    music = hostile_files.music(5.0, rate=rate, channels=channels)
    path.write_bytes(hostile_files.encode(kind, music, rate=rate))
    with soundfile.SoundFile(path) as sound:
        whole = sound.read(dtype="float32", always_2d=True)
    for block_seconds in (0.01, 0.7, 10.0):
        np.testing.assert_array_equal(decoded(path, block_seconds), whole)


def test_the_suffix_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(hostile_files.encode("FLAC"))
    assert inspect(path).format == "FLAC"


def test_an_mp3_that_declares_nothing_is_taken_as_it_is(tmp_path: Path) -> None:
    frames = _frames(
        hostile_files.encode(
            "MP3", hostile_files.music(4.0), bitrate_mode="CONSTANT", compression_level=0.5
        )
    )
    (tmp_path / "a.mp3").write_bytes(frames)
    assert inspect(tmp_path / "a.mp3").seconds == pytest.approx(4.0, abs=0.1)
    (tmp_path / "a.mp3").write_bytes(frames[: len(frames) // 2])
    assert inspect(tmp_path / "a.mp3").seconds == pytest.approx(2.0, abs=0.1)


def test_an_mp3_of_which_half_would_be_lost_is_rejected(tmp_path: Path) -> None:
    frames = _frames(hostile_files.encode("MP3", hostile_files.music(4.0), bitrate_mode="VARIABLE"))
    (tmp_path / "a.mp3").write_bytes(frames)
    with pytest.raises(RejectedInput) as rejected:
        inspect(tmp_path / "a.mp3")
    assert rejected.value.reason == "unknown_length"


def _frames(mp3: bytes) -> bytes:
    """Without the first frame, which says how many there are."""
    header = max(mp3.find(b"Xing"), mp3.find(b"Info"))
    return mp3[mp3.index(mp3[:2], header) :]


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["m4a", "mka", "wv"])
def test_ffmpeg_gives_the_samples_that_went_in(tmp_path: Path, suffix: str) -> None:
    samples = hostile_files.music(channels=2)
    path = tmp_path / f"a.{suffix}"
    codec = {"m4a": "alac", "mka": "flac", "wv": "wavpack"}[suffix]
    hostile_files.by_ffmpeg(path, "-c:a", codec, samples=samples)
    np.testing.assert_allclose(decoded(path, 0.3), samples, atol=2**-15)


@needs_ffmpeg
@pytest.mark.parametrize(
    "options", [["-movflags", "+faststart"], ["-f", "adts"], ["-f", "matroska"]]
)
def test_what_ffmpeg_reads_is_known_as_truncated_too(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "a.m4a"
    hostile_files.by_ffmpeg(path, "-c:a", "aac", *options, samples=hostile_files.music(5.0))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(RejectedInput) as rejected:
        inspect(path)
    assert rejected.value.reason == "truncated"


@needs_ffmpeg
def test_ffmpeg_ends_when_the_reader_leaves(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    hostile_files.by_ffmpeg(path, "-c:a", "aac", samples=hostile_files.music(60.0))
    with decode(path, block_seconds=0.1) as audio:
        next(audio.blocks)
        assert any(child.name() == "ffmpeg" for child in psutil.Process().children())
    assert not any(child.name() == "ffmpeg" for child in psutil.Process().children())


def test_a_flac_that_was_written_to_a_pipe_is_whole(tmp_path: Path) -> None:
    content = bytearray(hostile_files.encode("FLAC"))
    content[21] &= 0xF0  # STREAMINFO: number of samples unknown
    content[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(content)
    assert inspect(tmp_path / "a.flac").seconds == 2.0


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"\0\0\0\x18ftypM4A ", "needs_ffmpeg"),
        (b"\xff\xf1\x50\x80", "needs_ffmpeg"),
        (b"\x1aE\xdf\xa3", "needs_ffmpeg"),
        (b"%PDF-1.7", "not_audio"),
        (b"RIFF\0\0\0\0WAVE", "not_audio"),
    ],
)
def test_without_ffmpeg_only_its_own_containers_ask_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: bytes, reason: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    (tmp_path / "a.m4a").write_bytes(head + bytes(1000))
    with pytest.raises(RejectedInput) as rejected:
        inspect(tmp_path / "a.m4a")
    assert rejected.value.reason == reason
