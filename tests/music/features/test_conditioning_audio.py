"""Conditioning audio keeps a track's melody and rhythm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from librosa.decompose import hpss

from mirpipe import audio
from mirpipe.music.features import conditioning, onsets, tempo_and_beats
from mirpipe.music.features.conditioning_audio import harmonic_and_percussive
from mirpipe.music.features.spectrogram import SAMPLE_RATE, compute_spectrogram
from mirpipe.records import AudioSegment, Float32
from mirpipe.settings import PROJECT
from tests.support.synthetic_music import melody as tune

DEMO = PROJECT / "demo"
RATE = 44_100


def hats(seconds: float, rate: int) -> Float32:
    """Return short, loud noise bursts, four per second."""
    random = np.random.default_rng(0)
    time = np.arange(round(seconds * rate)) / rate
    return (random.standard_normal(len(time)) * np.exp(-80 * (time * 4 % 1) / 4)).astype(np.float32)


def onset_strength(samples: Float32) -> Float32:
    return onsets.onset_strength(compute_spectrogram(samples).mel_db)


def test_drums_over_a_tune_become_quieter() -> None:
    tones = tune(6, RATE, dbfs=-20)
    mix = AudioSegment(tones + hats(6, RATE), RATE)
    before = np.corrcoef(mix.samples, tones)[0, 1]
    after = np.corrcoef(conditioning(mix).samples, tones)[0, 1]
    assert after > before + 0.15


def test_length_rate_and_level_stay_the_same() -> None:
    segment = AudioSegment(tune(3.21, 32_000), 32_000)
    result = conditioning(segment)
    assert (result.samples.shape, result.sample_rate) == (segment.samples.shape, 32_000)
    assert result.samples.dtype == np.float32
    assert np.std(result.samples) == pytest.approx(np.std(segment.samples), rel=0.01)


@given(samples=st.integers(1, 5000), scale=st.sampled_from([0.0, 1e-6, 1.0, 4.0]))
@settings(max_examples=25, deadline=None)
def test_any_audio_gives_finite_samples_within_full_scale(samples: int, scale: float) -> None:
    noise = scale * np.random.default_rng(samples).uniform(-1, 1, samples)
    result = conditioning(AudioSegment(noise.astype(np.float32), 32_000)).samples
    assert result.shape == (samples,)
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= 1.001


def test_input_is_not_changed() -> None:
    segment = AudioSegment(tune(1, 32_000), 32_000)
    before = segment.samples.copy()
    conditioning(segment)
    np.testing.assert_array_equal(segment.samples, before)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Country 114 BPM", "Jazz 120 BPM", "Rock 102 BPM"])
def test_drum_loop_keeps_its_rhythm(name: str) -> None:
    samples = audio.load_mono(DEMO / f"target/{name}.ogg", SAMPLE_RATE)
    result = conditioning(AudioSegment(samples, SAMPLE_RATE)).samples
    assert tempo_and_beats.find_pulse(onset_strength(result)).tempo_bpm == pytest.approx(
        float(name.split()[1]), rel=0.01
    )
    assert np.corrcoef(onset_strength(result), onset_strength(samples))[0, 1] > 0.9


@pytest.mark.parametrize("frames", [1, 20, 300])
def test_the_components_are_those_of_librosa(frames: int) -> None:
    random = np.random.default_rng(frames)
    parts = random.standard_normal((2, 1025, frames)) * random.integers(0, 2, (1025, frames))
    spectrum = (parts[0] + 1j * parts[1]).astype(np.complex64)
    for ours, theirs in zip(harmonic_and_percussive(spectrum), hpss(spectrum), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
