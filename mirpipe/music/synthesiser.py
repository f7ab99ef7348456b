"""A simple synthesiser: notes by additive harmonics, drums by a sliding sine and shaped noise.

Nothing clicks: every sound begins and ends in a ramp. Nothing aliases: harmonics stay below
0.45 of the sample rate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mirpipe.records import Float32, Float64, Note

Drum = Literal["kick", "snare", "hat"]

HIGHEST_HARMONIC = 0.45
"""Of the sample rate."""
RMS = 0.12
"""−18 dBFS: what a clip is brought to."""
LOUDEST = 1.5
"""Peaks above 1 are bent back by the tanh, not cut; more than this would sound distorted."""
CEILING = 0.98
_DRUM_SECONDS = {"kick": 0.22, "snare": 0.16, "hat": 0.06}
_NOISE_BAND_HZ = {"snare": (900.0, 6_000.0), "hat": (7_000.0, 14_000.0)}
_RAMP_SECONDS = 0.002


@dataclass(frozen=True)
class Hit:
    """One stroke of a drum."""

    onset_seconds: float
    drum: Drum
    velocity: float
    """0 … 1."""


@dataclass(frozen=True)
class Timbre:
    """How a note sounds."""

    harmonics: tuple[float, ...]
    """Amplitudes of the fundamental and of those above it."""
    attack_seconds: float
    decay_seconds: float
    """Time constant of the fall towards `sustain`."""
    sustain: float
    """0 … 1: level of a held note."""
    release_seconds: float


def tones(notes: Iterable[Note], timbre: Timbre, *, samples: int, sample_rate: int) -> Float64:
    """The notes played, shape (samples,); what sounds after the end is left out."""
    mix = np.zeros(samples)
    for note in notes:
        _add(mix, _tone(note, timbre, sample_rate), note.onset_seconds, sample_rate)
    return mix


def hits(
    strokes: Iterable[Hit], random: np.random.Generator, *, samples: int, sample_rate: int
) -> Float64:
    """The drums played, shape (samples,); every stroke of a drum has the same noise."""
    sounds: dict[Drum, Float64] = {
        "kick": _kick(sample_rate),
        "snare": _noise("snare", random, sample_rate),
        "hat": _noise("hat", random, sample_rate),
    }
    mix = np.zeros(samples)
    for hit in strokes:
        _add(mix, hit.velocity * sounds[hit.drum], hit.onset_seconds, sample_rate)
    return mix


def levelled(mix: Float64, sample_rate: int) -> Float32:
    """The mix at −18 dBFS or, where it has high peaks, below; |samples| < 0.98; faded out."""
    peak = np.abs(mix).max(initial=0.0)
    if peak > 0:
        mix = mix * min(RMS / np.sqrt(np.mean(mix**2)), LOUDEST / peak)
    fade = min(len(mix), round(0.02 * sample_rate))
    samples: Float32 = (CEILING * np.tanh(mix)).astype(np.float32)
    samples[len(mix) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return samples


def _tone(note: Note, timbre: Timbre, sample_rate: int) -> Float64:
    held = max(note.offset_seconds - note.onset_seconds, timbre.attack_seconds)
    time = np.arange(round((held + timbre.release_seconds) * sample_rate)) / sample_rate
    hertz = 440.0 * 2 ** ((note.pitch - 69) / 12)
    wave = np.zeros(len(time))
    for number, amplitude in enumerate(timbre.harmonics, start=1):
        if number * hertz < HIGHEST_HARMONIC * sample_rate:
            wave += amplitude * np.sin(2 * np.pi * number * hertz * time)
    fall = timbre.sustain + (1 - timbre.sustain) * np.exp(-time / timbre.decay_seconds)
    rise = np.clip(time / timbre.attack_seconds, 0, 1)
    release = np.clip((held + timbre.release_seconds - time) / timbre.release_seconds, 0, 1)
    return (0.15 + 0.85 * note.velocity) * wave * fall * _smooth(rise) * _smooth(release)


def _kick(sample_rate: int) -> Float64:
    time = np.arange(round(_DRUM_SECONDS["kick"] * sample_rate)) / sample_rate
    hertz = 45 + 90 * np.exp(-time / 0.03)
    return _stroke(time) * np.sin(2 * np.pi * np.cumsum(hertz) / sample_rate)


def _noise(drum: Drum, random: np.random.Generator, sample_rate: int) -> Float64:
    time = np.arange(round(_DRUM_SECONDS[drum] * sample_rate)) / sample_rate
    low, high = _NOISE_BAND_HZ[drum]
    spectrum = np.fft.rfft(random.standard_normal(len(time)))
    hertz = np.fft.rfftfreq(len(time), 1 / sample_rate)
    band = 1 / np.sqrt(1 + (low / np.maximum(hertz, 1)) ** 4 + (hertz / high) ** 4)
    noise: Float64 = np.fft.irfft(spectrum * band, len(time))
    return 0.4 / float(noise.std()) * noise * _stroke(time)


def _stroke(time: Float64) -> Float64:
    """A steep rise, then a decay to nothing at the last sample."""
    decay: Float64 = np.exp(-5 * time / time[-1]) * (1 - time / time[-1])
    return decay * _smooth(np.clip(time / _RAMP_SECONDS, 0, 1))


def _smooth(ramp: Float64) -> Float64:
    """A raised cosine over 0 … 1."""
    risen: Float64 = 0.5 - 0.5 * np.cos(np.pi * ramp)
    return risen


def _add(mix: Float64, sound: Float64, onset_seconds: float, sample_rate: int) -> None:
    start = max(0, round(onset_seconds * sample_rate))
    stop = min(start + len(sound), len(mix))
    if start < stop:
        mix[start:stop] += sound[: stop - start]
