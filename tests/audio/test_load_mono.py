"""Complete tracks are loaded as mono audio, bit-identical to the result of librosa."""

from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirpipe.audio import load_mono
from mirpipe.records import MonoMix
from tests.support import encoded_audio


@pytest.mark.parametrize("target_rate", [22_050, 16_000])
@pytest.mark.parametrize(
    ("kind", "rate", "channels"),
    [
        ("WAV", 44_100, 2),
        ("OGG", 48_000, 1),
        ("FLAC", 22_050, 2),
        ("MP3", 44_100, 2),
        ("MP3", 22_050, 1),
        ("WAVEX", 11_025, 9),
    ],
)
def test_load_mono_is_bit_identical_to_librosa(
    tmp_path: Path, kind: str, rate: int, channels: int, target_rate: int
) -> None:
    path = tmp_path / "a"
    # The file is longer than one block, and its length at the new rate is not an integer.
    path.write_bytes(
        encoded_audio.encode(
            kind, encoded_audio.music(11.013, rate=rate, channels=channels), rate=rate
        )
    )
    expected, _ = librosa.load(path, sr=target_rate, mono=True)
    np.testing.assert_array_equal(load_mono(path, target_rate, mix=MonoMix()), expected)
    expected, _ = librosa.load(path, sr=target_rate, mono=True, duration=10.3456)
    np.testing.assert_array_equal(
        load_mono(path, target_rate, mix=MonoMix(), max_seconds=10.3456), expected
    )
    part, _ = librosa.load(path, sr=target_rate, mono=True, offset=3.2101, duration=5.3456)
    if kind not in ("MP3", "OGG"):  # librosa seeks in these files, and the decoder then differs.
        loaded = load_mono(
            path, target_rate, mix=MonoMix(), start_seconds=3.2101, max_seconds=5.3456
        )
        np.testing.assert_array_equal(loaded, part)


@settings(max_examples=30, deadline=None)
@given(frames=st.integers(1, 4000), rate=st.sampled_from([8_000, 22_050, 44_100, 48_000]))
def test_load_mono_returns_as_many_samples_as_librosa(
    tmp_path_factory: pytest.TempPathFactory, frames: int, rate: int
) -> None:
    path = tmp_path_factory.mktemp("length") / "a.wav"
    path.write_bytes(
        encoded_audio.encode("WAV", encoded_audio.music(rate=rate)[:frames], rate=rate)
    )
    expected, _ = librosa.load(path, sr=16_000)
    np.testing.assert_array_equal(load_mono(path, 16_000, mix=MonoMix()), expected)
