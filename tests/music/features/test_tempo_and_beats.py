"""Estimated tempo and beats of synthetic rhythms, compared with the true beats by mir_eval."""

import mir_eval
import numpy as np
import pytest

from mirpipe.music.features import onsets, tempo_and_beats
from mirpipe.music.features.spectrogram import SAMPLE_RATE as RATE
from mirpipe.music.features.spectrogram import compute_spectrogram
from mirpipe.records import Float32, Note
from tests.support.synthetic_music import melody, noise


def strokes(times: np.ndarray, *, seconds: float) -> Float32:
    """Return a noise burst at each of these times, over very quiet noise."""
    random = np.random.default_rng(0)
    samples = 1e-4 * random.standard_normal(round(seconds * RATE))
    burst = random.standard_normal(2000) * np.exp(-np.arange(2000) / 400)
    for time in times:
        start = round(time * RATE)
        piece = samples[start : start + len(burst)]
        piece += 0.3 * burst[: len(piece)]
    return samples.astype(np.float32)


def strength_of(samples: Float32) -> Float32:
    return onsets.onset_strength(compute_spectrogram(samples).mel_db)


def pulse_of(samples: Float32) -> tempo_and_beats.Pulse:
    return tempo_and_beats.find_pulse(strength_of(samples))


@pytest.mark.parametrize("bpm", [72.0, 96.0, 120.0, 137.5])
def test_tempo_of_even_strokes_is_right_within_half_a_percent(bpm: float) -> None:
    times = np.arange(0.5, 19.5, 60 / bpm)
    found = pulse_of(strokes(times, seconds=20))
    assert found.tempo_bpm == pytest.approx(bpm, rel=0.005)
    assert mir_eval.beat.f_measure(times, np.array(found.beat_seconds)) > 0.95


def test_beats_are_at_the_strokes() -> None:
    times = np.arange(0.5, 19.5, 0.5)
    found = np.array(pulse_of(strokes(times, seconds=20)).beat_seconds)
    assert len(found) >= len(times) - 2
    distance = np.abs(found[:, np.newaxis] - times).min(axis=1)
    assert distance.max() < 0.05


def test_tempo_that_increases_slowly_is_followed() -> None:
    times = np.cumsum(60 / np.linspace(110, 125, 120))
    found = pulse_of(strokes(times, seconds=times[-1] + 1))
    assert found.tempo_bpm == pytest.approx(117.5, rel=0.02)
    assert mir_eval.beat.f_measure(times, np.array(found.beat_seconds)) > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_random_strokes_have_no_beat(seed: int) -> None:
    times = np.random.default_rng(seed).uniform(0.5, 19, 60)
    found = pulse_of(strokes(np.sort(times), seconds=20))
    assert (found.tempo_bpm, found.beat_seconds, found.reason) == (None, (), "no_steady_beat")


@pytest.mark.parametrize("seconds", [20.0, 60.0])
def test_noise_has_no_beat(seconds: float) -> None:
    assert pulse_of(noise(seconds, RATE, dbfs=-20)).reason == "no_steady_beat"


def test_sustained_chord_has_no_onsets() -> None:
    time = np.arange(10 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * 110 * h * time + h) for h in range(1, 6)).astype(np.float32)
    strength = strength_of(chord / 10)
    assert tempo_and_beats.find_pulse(strength).reason == "no_onsets"
    assert onsets.onsets_per_second(strength) == 0


def test_silence_has_no_onsets() -> None:
    assert pulse_of(np.zeros(RATE, np.float32)).reason == "no_onsets"


def test_one_second_of_music_has_too_few_beats() -> None:
    assert pulse_of(melody(1, RATE)).reason == "too_few_beats"


def test_onsets_are_counted() -> None:
    assert onsets.onsets_per_second(strength_of(melody(10, RATE))) == pytest.approx(4, abs=0.3)


def test_even_notes_without_a_rise_in_the_spectrum_have_a_beat() -> None:
    notes = [Note(0.6 * index, 0.6 * index + 0.5, 69, 0.8) for index in range(30)]
    strength = onsets.note_onset_strength(notes, frames=800)
    assert strength.sum() == pytest.approx(30 * 0.8)
    assert tempo_and_beats.find_pulse(strength).tempo_bpm == pytest.approx(100, rel=0.01)


def test_note_after_the_last_frame_is_ignored() -> None:
    strength = onsets.note_onset_strength([Note(100, 101, 60, 1.0)], frames=10)
    assert not strength.any()
