"""The synthesiser's sounds have no clicks, no aliasing and a constant level."""

import numpy as np
import pytest

from mirpipe.music.synthesiser import (
    Drum,
    DrumHit,
    Timbre,
    normalise_level,
    render_drums,
    render_notes,
)
from mirpipe.records import Note

RATE = 32_000
TIMBRE = Timbre((1.0, 0.5, 0.3), 0.01, 0.4, 0.5, 0.05)
SIZE = {"samples": RATE, "sample_rate": RATE}


def test_note_sounds_from_its_onset_to_the_end_of_its_release() -> None:
    sound = np.abs(render_notes([Note(0.2, 0.5, 69, 1.0)], TIMBRE, **SIZE))
    assert sound[: round(0.2 * RATE)].max() == 0
    assert sound[round(0.22 * RATE) : round(0.5 * RATE)].max() > 0.5
    assert sound[round(0.551 * RATE) :].max() == 0


@pytest.mark.parametrize("pitch", [21, 69, 108])
def test_note_starts_and_ends_without_a_click(pitch: int) -> None:
    sound = render_notes([Note(0.2, 0.5, pitch, 1.0)], TIMBRE, **SIZE)
    sounding = np.flatnonzero(sound)
    assert np.abs(sound[sounding[:8]]).max() < 0.01
    assert np.abs(sound[sounding[-8:]]).max() < 0.01


@pytest.mark.parametrize("drum", ["kick", "snare", "hat"])
def test_drum_starts_and_ends_without_a_click(drum: Drum) -> None:
    sound = render_drums([DrumHit(0.2, drum, 1.0)], np.random.default_rng(0), **SIZE)
    sounding = np.flatnonzero(sound)
    assert sounding[0] >= 0.2 * RATE
    assert np.abs(sound).max() > 0.5
    assert np.abs(sound[sounding[:4]]).max() < 0.05
    assert np.abs(sound[sounding[-4:]]).max() < 0.01


def test_harmonics_close_to_half_the_sample_rate_are_left_out() -> None:
    sound = render_notes([Note(0.0, 1.0, 120, 1.0)], TIMBRE, **SIZE)  # 8.4, 16.7 and 25.1 kHz
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(RATE)))
    assert spectrum.argmax() == pytest.approx(8372, abs=1)
    assert spectrum[9_000:].max() < 0.001 * spectrum.max()


def test_sound_after_the_end_of_the_clip_is_cut() -> None:
    sound = render_notes([Note(0.9, 9.0, 69, 1.0), Note(1.0, 2.0, 69, 1.0)], TIMBRE, **SIZE)
    assert sound.shape == (RATE,)
    np.testing.assert_array_equal(sound, render_notes([Note(0.9, 9.0, 69, 1.0)], TIMBRE, **SIZE))


@pytest.mark.parametrize("gain", [1e-6, 1.0, 1e6])
def test_every_mix_gets_the_same_level(gain: float) -> None:
    mix = gain * render_notes([Note(0.0, 1.0, 69, 1.0)], TIMBRE, **SIZE)
    samples = normalise_level(mix, RATE)
    assert samples.dtype == np.float32
    assert 20 * np.log10(samples.std()) == pytest.approx(-18.5, abs=0.7)
    assert samples[-1] == 0


def test_single_stroke_in_silence_does_not_clip() -> None:
    mix = np.zeros(20 * RATE)
    mix[:RATE] = render_drums([DrumHit(0.0, "kick", 1.0)], np.random.default_rng(0), **SIZE)
    assert 0.5 < np.abs(normalise_level(mix, RATE)).max() < 0.98


def test_silence_stays_silence() -> None:
    assert not normalise_level(np.zeros(100), RATE).any()
