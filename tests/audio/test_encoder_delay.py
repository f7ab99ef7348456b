"""The decoded audio starts where the source started, if the file declares the encoder delay."""

from pathlib import Path

import numpy as np
import pytest
from mutagen.mp4 import MP4, AtomDataType, MP4FreeForm

from mirpipe.audio import decode, ffmpeg
from mirpipe.audio.file_part import FilePart
from mirpipe.audio.regular_files import open_regular_file
from mirpipe.records import Float32
from tests.support.encoded_audio import HAS_FFMPEG, RATE, encode, encoded_with_ffmpeg

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed"),
]

# Four samples at 48 kHz: the resolution of Matroska's timestamps and of the measured delay.
_TOLERATED_SECONDS = 4 / 48_000


def sweep() -> Float32:
    """Return a rising tone of 3 s, shape (frames, 1). Its place in time is unambiguous."""
    t = np.arange(3 * RATE) / RATE
    wave = 0.3 * np.sin(2 * np.pi * (200 * t + 300 * t**2)) * (1 + 0.3 * np.sin(7 * t))
    return wave.astype(np.float32)[:, np.newaxis]


def delay_seconds(path: Path) -> float:
    """Return by how much the decoded sweep is late, in seconds."""
    with decode(path) as audio:
        return _delay(np.concatenate(list(audio.blocks))[:, 0], audio.sample_rate)


def delay_in_ffmpeg(path: Path) -> float:
    """Return by how much the sweep is late if ffmpeg decodes the file, in seconds."""
    with open_regular_file(path) as descriptor:
        part = FilePart.complete(descriptor, path.name)
        with ffmpeg.decode(path, part, block_seconds=10) as stream:
            samples = np.concatenate(list(stream.blocks))[:, 0]
    return _delay(samples, stream.sample_rate)


def _delay(samples: Float32, rate: int) -> float:
    t = np.arange(len(samples)) / rate
    expected = np.interp(t, np.arange(3 * RATE) / RATE, sweep()[:, 0], right=0.0)
    size = 2 * len(samples)
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(expected, size).conj()
    lag = int(np.fft.irfft(spectrum, size).argmax())
    return (lag - size * (lag > len(samples))) / rate


AAC = ["-c:a", "aac"]
OPUS = ["-c:a", "libopus"]


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("mp3", []),
        ("mp3", ["-q:a", "4"]),
        ("m4a", AAC),
        ("mov", AAC),
        ("m4a", [*AAC, "-movflags", "frag_keyframe+delay_moov"]),
        ("mp4", ["-c:a", "libmp3lame"]),
        ("mp4", OPUS),
        ("opus", OPUS),
        ("webm", OPUS),
        ("ogg", ["-c:a", "libvorbis"]),
        ("mka", ["-c:a", "libvorbis"]),
    ],
)
def test_a_declared_delay_is_cut_by_both_decoders(
    tmp_path: Path, suffix: str, options: list[str]
) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(encoded_with_ffmpeg(tmp_path, suffix, *options, samples=sweep()))
    assert delay_seconds(path) == pytest.approx(0, abs=_TOLERATED_SECONDS)
    assert delay_in_ffmpeg(path) == pytest.approx(0, abs=_TOLERATED_SECONDS)


@pytest.mark.parametrize("has_edit_list", [False, True])
def test_the_delay_that_itunes_declares_is_cut_once(tmp_path: Path, has_edit_list: bool) -> None:
    path, edit_list = tmp_path / "a.m4a", ["-use_editlist", str(int(has_edit_list))]
    path.write_bytes(encoded_with_ffmpeg(tmp_path, "m4a", *AAC, *edit_list, samples=sweep()))
    tags = MP4(path)
    declared = f" 00000000 {1024:08X} 00000334 {3 * RATE:016X}" + 8 * " 00000000"
    tags["----:com.apple.iTunes:iTunSMPB"] = [MP4FreeForm(declared.encode(), AtomDataType.UTF8)]
    tags.save()
    assert delay_seconds(path) == pytest.approx(0, abs=_TOLERATED_SECONDS)


@pytest.mark.parametrize(
    ("suffix", "options", "samples"),
    [
        ("mp3", ["-write_xing", "0"], 576 + 529),
        ("aac", AAC, 1024),
        ("m4a", [*AAC, "-use_editlist", "0"], 1024),
    ],
)
def test_a_delay_that_is_not_declared_stays(
    tmp_path: Path, suffix: str, options: list[str], samples: int
) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(encoded_with_ffmpeg(tmp_path, suffix, *options, samples=sweep()))
    assert delay_seconds(path) == pytest.approx(samples / RATE, abs=_TOLERATED_SECONDS)


@pytest.mark.parametrize("encoder", [b"LAME3.100", b"GOGO3.13b", bytes(9)])
def test_both_decoders_cut_the_same_delay_of_an_mp3(tmp_path: Path, encoder: bytes) -> None:
    """Bytes that are not audio make ffmpeg decode the file instead of libsndfile."""
    mp3 = encoded_with_ffmpeg(tmp_path, "mp3", samples=sweep())
    name = mp3.index(b"Info") + 120
    mp3 = mp3[:name] + encoder + mp3[name + 9 :]
    (tmp_path / "whole.mp3").write_bytes(mp3)
    (tmp_path / "skipped.mp3").write_bytes(mp3 + bytes(range(1, 90)) + mp3[-4_000:])
    declared = 0 if encoder[0] else 576  # Without a name, the encoder's part is unknown.
    for name_of_file in ("whole.mp3", "skipped.mp3"):
        delay = delay_seconds(tmp_path / name_of_file)
        assert delay == pytest.approx(declared / RATE, abs=_TOLERATED_SECONDS)


def test_the_delay_of_each_part_of_a_joined_mp3_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "joined.mp3"
    path.write_bytes(2 * encode("MP3", sweep()))
    with decode(path) as audio:
        samples = np.concatenate(list(audio.blocks))[:, 0]
    assert len(samples) == 2 * len(sweep())
    for part in np.split(samples, 2):
        assert _delay(part, RATE) == pytest.approx(0, abs=_TOLERATED_SECONDS)
