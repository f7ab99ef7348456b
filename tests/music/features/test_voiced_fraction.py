"""Tunes are voiced; silence, noise, rumble and drum loops are unpitched."""

import numpy as np
import pytest

from mirpipe.music.features.melody_pitch_classes import SAMPLE_RATE as RATE
from mirpipe.music.features.melody_pitch_classes import transcribe_melody
from mirpipe.music.features.voiced_fraction import peaked_frames, voiced_fraction
from tests.music.synthetic_tunes import drum_loop, tune


def test_frame_is_peaked_if_its_maximum_is_2_5_times_its_mean() -> None:
    chroma = np.ones((12, 3))
    chroma[3] = [1.0, 2.9, 2.8]  # The means are 1, 1.158 and 1.15.
    assert peaked_frames(chroma).tolist() == [False, True, False]


def test_frame_counts_if_it_is_loud_and_peaked() -> None:
    energy = np.array([1.0, 1.0, 0.001, 0.0])
    assert voiced_fraction(energy, np.array([True, False, True, True])) == 0.25


def test_tune_is_voiced() -> None:
    found = transcribe_melody(tune())
    assert found.voiced
    assert found.voiced_fraction is not None
    assert found.voiced_fraction > 0.97


def test_tune_over_quiet_noise_is_voiced() -> None:
    noise = np.random.default_rng(0).standard_normal(len(tune())).astype(np.float32)
    assert transcribe_melody(tune() + 0.02 * noise).voiced


def test_tune_with_one_loud_click_is_voiced() -> None:
    samples = tune()
    samples[100_000] = 100.0
    assert transcribe_melody(samples).voiced


def test_silence_is_unpitched() -> None:
    found = transcribe_melody(np.zeros(2 * RATE, dtype=np.float32))
    assert (found.voiced, found.voiced_fraction) == (False, 0.0)


def test_noise_is_unpitched_at_any_level() -> None:
    noise = np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    assert transcribe_melody(noise).voiced_fraction == 0.0
    assert transcribe_melody(noise * np.float32(1e-4)).voiced_fraction == 0.0


def test_drum_loop_is_unpitched() -> None:
    assert transcribe_melody(drum_loop()).voiced is False


def test_tune_with_pauses_for_half_of_the_time_is_unpitched() -> None:
    samples = np.r_[tune(), np.zeros(len(tune()), dtype=np.float32)]
    found = transcribe_melody(samples)
    assert found.voiced_fraction == pytest.approx(0.49, abs=0.02)
    assert found.voiced is False


def test_rumble_below_the_high_pass_filter_is_unpitched() -> None:
    time = np.arange(2 * RATE) / RATE
    assert not transcribe_melody(np.sin(2 * np.pi * 50 * time).astype(np.float32)).voiced
