"""Block-by-block decoding with libsndfile and with ffmpeg."""

import shutil
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from mirpipe.audio import decode, read_audio_facts
from mirpipe.errors import RejectedInput
from tests.support import encoded_audio

needs_ffmpeg = pytest.mark.skipif(not encoded_audio.HAS_FFMPEG, reason="ffmpeg is not installed")


def decode_all(path: Path, block_seconds: float) -> np.ndarray:
    """Return all samples of the file, shape (frames, channels)."""
    with decode(path, block_seconds=block_seconds) as audio:
        return np.concatenate(list(audio.blocks))


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize(("rate", "channels"), [(22_050, 1), (44_100, 2)])
def test_the_size_of_the_blocks_does_not_change_the_samples(
    tmp_path: Path, kind: str, rate: int, channels: int
) -> None:
    path = tmp_path / "a"
    music = encoded_audio.music(5.0, rate=rate, channels=channels)
    path.write_bytes(encoded_audio.encode(kind, music, rate=rate))
    with soundfile.SoundFile(path) as sound:
        expected = sound.read(dtype="float32", always_2d=True)
    for block_seconds in (0.01, 0.7, 10.0):
        np.testing.assert_array_equal(decode_all(path, block_seconds), expected)


def test_the_format_does_not_depend_on_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(encoded_audio.encode("FLAC"))
    assert read_audio_facts(path).format == "FLAC"


def test_an_mp3_with_constant_bit_rate_needs_no_declared_length(tmp_path: Path) -> None:
    frames = _without_length_header(
        encoded_audio.encode(
            "MP3", encoded_audio.music(4.0), bitrate_mode="CONSTANT", compression_level=0.5
        )
    )
    (tmp_path / "a.mp3").write_bytes(frames)
    assert read_audio_facts(tmp_path / "a.mp3").seconds == pytest.approx(4.0, abs=0.1)
    (tmp_path / "a.mp3").write_bytes(frames[: len(frames) // 2])
    assert read_audio_facts(tmp_path / "a.mp3").seconds == pytest.approx(2.0, abs=0.1)


def _without_length_header(mp3: bytes) -> bytes:
    """Return the MP3 without its first frame, which declares the number of frames."""
    header = max(mp3.find(b"Xing"), mp3.find(b"Info"))
    return mp3[mp3.index(mp3[:2], header) :]


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["m4a", "mka", "wv"])
def test_ffmpeg_decodes_a_lossless_file_to_the_original_samples(
    tmp_path: Path, suffix: str
) -> None:
    samples = encoded_audio.music(channels=2)
    path = tmp_path / f"a.{suffix}"
    codec = {"m4a": "alac", "mka": "flac", "wv": "wavpack"}[suffix]
    encoded_audio.encode_with_ffmpeg(path, "-c:a", codec, samples=samples)
    np.testing.assert_allclose(decode_all(path, 0.3), samples, atol=2**-15)


@needs_ffmpeg
@pytest.mark.parametrize("options", [["-movflags", "+faststart"], ["-f", "matroska"]])
def test_a_truncated_file_is_also_recognised_with_ffmpeg(
    tmp_path: Path, options: list[str]
) -> None:
    path = tmp_path / "a.m4a"
    encoded_audio.encode_with_ffmpeg(
        path, "-c:a", "aac", *options, samples=encoded_audio.music(5.0)
    )
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(RejectedInput) as rejected:
        read_audio_facts(path)
    assert rejected.value.reason == "truncated"


@needs_ffmpeg
def test_ffmpeg_is_stopped_when_the_context_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    encoded_audio.encode_with_ffmpeg(path, "-c:a", "aac", samples=encoded_audio.music(60.0))
    with decode(path, block_seconds=0.1) as audio:
        next(audio.blocks)
        assert any(child.name() == "ffmpeg" for child in psutil.Process().children())
    assert not any(child.name() == "ffmpeg" for child in psutil.Process().children())


def test_a_flac_that_was_written_to_a_pipe_is_accepted(tmp_path: Path) -> None:
    content = bytearray(encoded_audio.encode("FLAC"))
    content[21] &= 0xF0  # In STREAMINFO, a sample count of 0 means that the count is unknown.
    content[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(content)
    assert read_audio_facts(tmp_path / "a.flac").seconds == 2.0


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
def test_only_containers_that_need_ffmpeg_ask_the_user_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: bytes, reason: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    (tmp_path / "a.m4a").write_bytes(head + bytes(1000))
    with pytest.raises(RejectedInput) as rejected:
        read_audio_facts(tmp_path / "a.m4a")
    assert rejected.value.reason == reason
