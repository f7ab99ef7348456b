"""The octave of the tempo, for drum patterns whose beat is where kick and snare are."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pytest
from scipy import signal

from mirpipe.music.features import onsets
from mirpipe.music.features.spectrogram import SAMPLE_RATE as RATE
from mirpipe.music.features.spectrogram import compute_spectrogram
from mirpipe.music.features.tempo_and_beats import Pulse, find_pulse
from mirpipe.music.features.tempo_octave import choose_octave
from mirpipe.records import Float32, Float64, TempoCandidate

Pattern = Mapping[str, Sequence[float]]
ROCK: Pattern = {"kick": [0, 2], "snare": [1, 3], "hat": [beat / 2 for beat in range(8)]}
BUSY: Pattern = {"kick": [0, 2, 2.5], "snare": [1, 3], "hat": [beat / 4 for beat in range(16)]}
DISCO: Pattern = {"kick": [0, 1, 2, 3], "snare": [1, 3], "hat": [0.5, 1.5, 2.5, 3.5]}


@cache
def stroke(name: str) -> Float64:
    time = np.arange(RATE // 4) / RATE
    noise = np.random.default_rng(0).standard_normal(len(time))
    if name == "kick":
        return np.asarray(0.8 * np.sin(2 * np.pi * 62 * time) * np.exp(-18 * time))
    if name == "snare":
        tone = 0.4 * np.sin(2 * np.pi * 215 * time) * np.exp(-20 * time)
        return np.asarray(tone + 0.3 * noise * np.exp(-30 * time))
    high = signal.sosfilt(signal.butter(4, 6000, "highpass", fs=RATE, output="sos"), noise)
    return np.asarray(0.2 * high * np.exp(-90 * time))


def loop(pattern: Pattern, bpm: float, *, seconds: float = 20.0) -> Float32:
    """Return a drum loop over very quiet noise, mono at 22,050 Hz."""
    samples = 1e-4 * np.random.default_rng(1).standard_normal(round((seconds + 1) * RATE))
    beat = 60 / bpm
    for bar in np.arange(0, seconds, 4 * beat):
        for name, beats in pattern.items():
            for position in beats:
                start = round((bar + position * beat) * RATE)
                part = samples[start : start + len(stroke(name))]
                part += stroke(name)[: len(part)]
    return np.asarray(samples[: round(seconds * RATE)], np.float32)


def octave_of(samples: Float32) -> tuple[Pulse, tuple[TempoCandidate, ...]]:
    mel_db = compute_spectrogram(samples).mel_db
    return choose_octave(find_pulse(onsets.onset_strength(mel_db)), mel_db)


@pytest.mark.parametrize("bpm", [52, 65, 77, 89])
@pytest.mark.parametrize("pattern", [ROCK, BUSY, DISCO], ids=["rock", "busy", "disco"])
def test_the_tempo_of_a_slow_song_is_not_doubled(pattern: Pattern, bpm: float) -> None:
    pulse, _ = octave_of(loop(pattern, bpm))
    assert pulse.tempo_bpm == pytest.approx(bpm, rel=0.01)
    beats = np.array(pulse.beat_seconds) * bpm / 60
    assert np.median(np.abs(beats - np.rint(beats))) < 0.1, "the kept beats are kicks and snares"


@pytest.mark.parametrize("bpm", [96, 120, 146, 172, 185])
@pytest.mark.parametrize("pattern", [ROCK, BUSY], ids=["rock", "busy"])
def test_the_tempo_of_a_fast_song_is_not_halved(pattern: Pattern, bpm: float) -> None:
    pulse, candidates = octave_of(loop(pattern, bpm))
    assert pulse.tempo_bpm == pytest.approx(bpm, rel=0.01)
    assert len(pulse.beat_seconds) > 0.85 * 20 * bpm / 60
    assert TempoCandidate(pulse.tempo_bpm, 1.0) in candidates


def test_accented_offbeats_make_the_octave_ambiguous() -> None:
    """The double tempo, 220 BPM, is too fast to be chosen, but a listener may count it."""
    _, unambiguous = octave_of(loop(DISCO, 110))
    assert [round(tempo.bpm) for tempo in unambiguous if tempo.strength >= 0.5] == [110]
    polka: Pattern = {"kick": [0, 1, 2, 3], "snare": [0.5, 1.5, 2.5, 3.5]}
    pulse, candidates = octave_of(loop(polka, 110))
    assert pulse.tempo_bpm == pytest.approx(110, rel=0.01)
    plausible = [tempo.bpm for tempo in candidates if tempo.strength >= 0.5]
    assert plausible == pytest.approx([110, 220], rel=0.01)


def test_a_pulse_without_a_tempo_has_no_candidates() -> None:
    pulse = Pulse(None, (), "no_onsets")
    mel_db = compute_spectrogram(np.zeros(RATE, np.float32)).mel_db
    assert choose_octave(pulse, mel_db) == (pulse, ())
