"""Tempo and beats of made-up rhythms."""

import numpy as np
import pytest

from mirpipe.music.features import onsets, tempo_and_beats
from mirpipe.music.features.spectrogram import SAMPLE_RATE as RATE
from mirpipe.music.features.spectrogram import spectrum
from mirpipe.records import Float32, Note
from tests.support.synthetic_music import melody, noise


def strokes(seconds_of: np.ndarray, *, seconds: float) -> Float32:
    """A burst of noise at every given moment, over very soft noise."""
    random = np.random.default_rng(0)
    samples = 1e-4 * random.standard_normal(round(seconds * RATE))
    burst = random.standard_normal(2000) * np.exp(-np.arange(2000) / 400)
    for moment in seconds_of:
        start = round(moment * RATE)
        piece = samples[start : start + len(burst)]
        piece += 0.3 * burst[: len(piece)]
    return samples.astype(np.float32)


def strength_of(samples: Float32) -> Float32:
    return onsets.strength(spectrum(samples).mel_db)


def pulse_of(samples: Float32) -> tempo_and_beats.Pulse:
    return tempo_and_beats.pulse(strength_of(samples))


@pytest.mark.parametrize("bpm", [72.0, 96.0, 120.0, 137.5])
def test_the_tempo_of_even_strokes_is_theirs_to_half_a_percent(bpm: float) -> None:
    found = pulse_of(strokes(np.arange(0.5, 19.5, 60 / bpm), seconds=20))
    assert found.tempo_bpm == pytest.approx(bpm, rel=0.005)


def test_beats_stand_on_the_strokes() -> None:
    given = np.arange(0.5, 19.5, 0.5)
    found = np.array(pulse_of(strokes(given, seconds=20)).beat_seconds)
    assert len(found) >= len(given) - 2
    distance = np.abs(found[:, np.newaxis] - given).min(axis=1)
    assert distance.max() < 0.05


def test_a_tempo_that_drifts_is_followed() -> None:
    moments = np.cumsum(60 / np.linspace(110, 125, 120))
    found = pulse_of(strokes(moments, seconds=moments[-1] + 1))
    assert found.tempo_bpm == pytest.approx(117.5, rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_strokes_at_random_have_no_beat(seed: int) -> None:
    moments = np.random.default_rng(seed).uniform(0.5, 19, 60)
    found = pulse_of(strokes(np.sort(moments), seconds=20))
    assert (found.tempo_bpm, found.beat_seconds, found.reason) == (None, (), "no_steady_beat")


@pytest.mark.parametrize("seconds", [20.0, 60.0])
def test_noise_has_no_beat(seconds: float) -> None:
    assert pulse_of(noise(seconds, RATE, dbfs=-20)).reason == "no_steady_beat"


def test_a_sustained_chord_has_no_onsets() -> None:
    time = np.arange(10 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * 110 * h * time + h) for h in range(1, 6)).astype(np.float32)
    strength = strength_of(chord / 10)
    assert tempo_and_beats.pulse(strength).reason == "no_onsets"
    assert onsets.per_second(strength) == 0


def test_silence_has_no_onsets() -> None:
    assert pulse_of(np.zeros(RATE, np.float32)).reason == "no_onsets"


def test_a_second_of_music_has_too_few_beats() -> None:
    assert pulse_of(melody(1, RATE)).reason == "too_few_beats"


def test_onsets_are_counted() -> None:
    assert onsets.per_second(strength_of(melody(10, RATE))) == pytest.approx(4, abs=0.3)


def test_even_notes_have_a_beat_though_their_sound_does_not_jump() -> None:
    played = [Note(0.6 * index, 0.6 * index + 0.5, 69, 0.8) for index in range(30)]
    strength = onsets.strength_of_notes(played, frames=800)
    assert strength.sum() == pytest.approx(30 * 0.8)
    assert tempo_and_beats.pulse(strength).tempo_bpm == pytest.approx(100, rel=0.01)


def test_a_note_beyond_the_last_frame_is_passed_over() -> None:
    strength = onsets.strength_of_notes([Note(100, 101, 60, 1.0)], frames=10)
    assert not strength.any()
