"""The conditioning audio keeps melody and rhythm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirpipe import audio
from mirpipe.music.features import conditioning, onsets, tempo_and_beats
from mirpipe.music.features.spectrogram import SAMPLE_RATE, spectrum
from mirpipe.records import AudioSegment, Float32
from mirpipe.settings import PROJECT
from tests.support.synthetic_music import melody as tune

DEMO = PROJECT / "demo"
RATE = 44_100


def hats(seconds: float, rate: int) -> Float32:
    """Loud short noise, four times a second."""
    random = np.random.default_rng(0)
    time = np.arange(round(seconds * rate)) / rate
    return (random.standard_normal(len(time)) * np.exp(-80 * (time * 4 % 1) / 4)).astype(np.float32)


def strength(samples: Float32) -> Float32:
    return onsets.strength(spectrum(samples).mel_db)


def test_drums_over_a_tune_are_turned_down() -> None:
    tones = tune(6, RATE, dbfs=-20)
    covered = AudioSegment(tones + hats(6, RATE), RATE)
    before = np.corrcoef(covered.samples, tones)[0, 1]
    after = np.corrcoef(conditioning(covered).samples, tones)[0, 1]
    assert after > before + 0.15


def test_length_rate_and_level_stay() -> None:
    segment = AudioSegment(tune(3.21, 32_000), 32_000)
    made = conditioning(segment)
    assert (made.samples.shape, made.sample_rate) == (segment.samples.shape, 32_000)
    assert made.samples.dtype == np.float32
    assert np.std(made.samples) == pytest.approx(np.std(segment.samples), rel=0.01)


@given(samples=st.integers(1, 5000), scale=st.sampled_from([0.0, 1e-6, 1.0, 4.0]))
@settings(max_examples=25, deadline=None)
def test_anything_gives_finite_samples_within_full_scale(samples: int, scale: float) -> None:
    noise = scale * np.random.default_rng(samples).uniform(-1, 1, samples)
    made = conditioning(AudioSegment(noise.astype(np.float32), 32_000)).samples
    assert made.shape == (samples,)
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= 1.001


def test_the_clip_is_left_as_it_is() -> None:
    segment = AudioSegment(tune(1, 32_000), 32_000)
    before = segment.samples.copy()
    conditioning(segment)
    np.testing.assert_array_equal(segment.samples, before)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Country 114 BPM", "Jazz 120 BPM", "Rock 102 BPM"])
def test_a_drum_loop_keeps_its_rhythm(name: str) -> None:
    samples = audio.load_mono(DEMO / f"target/{name}.ogg", SAMPLE_RATE)
    made = conditioning(AudioSegment(samples, SAMPLE_RATE)).samples
    assert tempo_and_beats.pulse(strength(made)).tempo_bpm == pytest.approx(
        float(name.split()[1]), rel=0.01
    )
    assert np.corrcoef(strength(made), strength(samples))[0, 1] > 0.9
