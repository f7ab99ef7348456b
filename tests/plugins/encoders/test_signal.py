"""Tests for the classical signal statistics, on music with known properties."""

from functools import cache
from pathlib import Path

import librosa
import numpy as np
import pytest
from numpy.typing import NDArray

from mirpipe.plugins.encoders.signal import SPEC, TEMPO_BANDS_BPM, Plugin, Statistics
from mirpipe.records import AudioSegment, Float32
from tests.support.synthetic_music import at_level, melody
from tools import make_signal_constants

MFCC_MEANS, HARMONY, TEMPO = slice(0, 20), slice(128, 164), slice(170, 178)

# Every 20th standardised number of `music()`.
GOLDEN = [-0.1771, -2.7120, -0.9521, 0.3348, -4.0, 0.4567, -1.0091, 0.4038, -0.3589]


@cache
def statistics() -> Statistics:
    return Statistics()


def measure(samples: Float32) -> NDArray[np.float64]:
    return statistics()(samples)


def music(seconds: float = 15.0) -> Float32:
    return melody(seconds, SPEC.sample_rate, dbfs=-20)


def clicks(bpm: float) -> Float32:
    """Return one click per beat."""
    time = np.arange(SPEC.window_samples) / SPEC.sample_rate
    since_beat = time % (60 / bpm)
    return at_level(np.exp(-80 * since_beat) * np.sin(2 * np.pi * 1500 * since_beat), -20)


def test_rows_have_not_changed_since_the_last_revision() -> None:
    row = Plugin().embed([AudioSegment(music(), SPEC.sample_rate)])[0]
    np.testing.assert_allclose(row[::20], GOLDEN, atol=5e-3)


def test_mfcc_means_equal_those_of_librosa() -> None:
    mfcc = librosa.feature.mfcc(y=music(), sr=SPEC.sample_rate, n_mfcc=20)
    np.testing.assert_allclose(
        measure(music())[MFCC_MEANS], mfcc.mean(axis=1), rtol=1e-3, atol=0.01
    )


def test_transposition_does_not_change_the_harmony_numbers() -> None:
    transposed = librosa.resample(
        music(), orig_sr=SPEC.sample_rate, target_sr=SPEC.sample_rate / 2 ** (5 / 12)
    )
    change = np.abs(measure(transposed)[HARMONY] - measure(music())[HARMONY]).max()
    change_to_clicks = np.abs(measure(clicks(120))[HARMONY] - measure(music())[HARMONY]).max()
    assert change < 0.1
    assert change < change_to_clicks / 3


@pytest.mark.parametrize("bpm", [70, 90, 120, 150])
def test_tempo_bands_above_the_beat_are_weak(bpm: float) -> None:
    strength = measure(clicks(bpm))[TEMPO]
    band = np.searchsorted(TEMPO_BANDS_BPM, bpm) - 1
    assert strength[band] > 0.5
    assert strength[band + 1 :].max() < 0.1


@pytest.mark.parametrize("samples", [2205, 4410, 22_050])
def test_a_segment_shorter_than_a_beat_gives_finite_numbers(samples: int) -> None:
    assert np.isfinite(measure(music(1.0)[:samples])).all()


def test_no_number_exceeds_four_deviations() -> None:
    pause = AudioSegment(np.zeros(SPEC.window_samples, np.float32), SPEC.sample_rate)
    assert np.abs(Plugin().embed([pause])).max() == 4.0


@pytest.mark.slow
def test_the_shipped_constants_are_those_of_the_demo_library(tmp_path: Path) -> None:
    make_signal_constants.main(tmp_path / "constants.txt")
    constants = np.loadtxt(tmp_path / "constants.txt")
    shipped = np.loadtxt(make_signal_constants.CONSTANTS)
    assert constants.shape == (SPEC.dimension, 2)
    np.testing.assert_allclose(constants, shipped, rtol=1e-3, atol=1e-4)
