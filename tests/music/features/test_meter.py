"""The estimated meter of synthetic bars with three, four and other numbers of beats."""

import numpy as np
import pytest

from mirpipe.music.features import meter
from mirpipe.music.features.spectrogram import SAMPLE_RATE, compute_spectrogram
from mirpipe.records import Float32
from tests.support.synthetic_music import noise

BEAT_SECONDS = 0.5


def bars(beats_per_bar: int, *, beats: int = 48, seed: int = 0) -> Float32:
    """Return low strokes on first beats, high strokes on others, and some soft strokes between."""
    random = np.random.default_rng(seed)
    samples = 1e-4 * random.standard_normal(round((beats * BEAT_SECONDS + 1) * SAMPLE_RATE))
    time = np.arange(5000) / SAMPLE_RATE
    low = 0.5 * np.sin(2 * np.pi * 60 * time) * np.exp(-20 * time)
    high = 0.15 * random.standard_normal(5000) * np.exp(-60 * time)
    for beat in range(beats):
        start = round(beat * BEAT_SECONDS * SAMPLE_RATE)
        samples[start : start + 5000] += high if beat % beats_per_bar else low
        if random.random() < 0.3:
            start += round(BEAT_SECONDS / 2 * SAMPLE_RATE)
            samples[start : start + 5000] += 0.3 * high
    return samples.astype(np.float32)


def meter_of(samples: Float32, *, beats: int = 48) -> tuple[int | None, str | None]:
    beat_seconds = tuple(BEAT_SECONDS * index + 0.02 for index in range(beats))
    return meter.beats_per_bar(compute_spectrogram(samples).mel_db, beat_seconds)


@pytest.mark.parametrize("beats_per_bar", [3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_bars_of_three_and_four_are_recognised(beats_per_bar: int, seed: int) -> None:
    assert meter_of(bars(beats_per_bar, seed=seed)) == (beats_per_bar, None)


def test_bars_of_two_count_as_four() -> None:
    assert meter_of(bars(2)) == (4, None)


@pytest.mark.parametrize("beats_per_bar", [5, 7])
def test_other_bars_have_no_meter(beats_per_bar: int) -> None:
    assert meter_of(bars(beats_per_bar)) == (None, "no_clear_meter")


def test_noise_has_no_meter() -> None:
    assert meter_of(noise(25, SAMPLE_RATE, dbfs=-20)) == (None, "no_clear_meter")


def test_silence_has_no_meter() -> None:
    assert meter_of(np.zeros(25 * SAMPLE_RATE, np.float32)) == (None, "no_clear_meter")


def test_fewer_than_sixteen_beats_have_no_meter() -> None:
    assert meter_of(bars(4), beats=15) == (None, "too_few_beats")


def test_no_beats_give_no_meter() -> None:
    assert meter_of(bars(4), beats=0) == (None, "no_steady_beat")
