"""A simple synthesiser: notes consist of harmonics, and drums of a gliding sine and shaped noise.

Every sound starts and ends with a ramp, so there are no clicks. Harmonics stay below 0.45 times the
sample rate, so there is no aliasing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mirpipe.records import Float32, Float64, Note

Drum = Literal["kick", "snare", "hat"]

HIGHEST_HARMONIC = 0.45
"""Highest frequency of a harmonic, as a share of the sample rate."""
RMS = 0.12
"""RMS level of a normalised clip, equal to −18 dBFS."""
MAX_PEAK = 1.5
"""Highest peak before tanh compresses the peaks above 1. Higher peaks would be distorted."""
CEILING = 0.98
"""Highest sample value of a normalised clip."""
_DRUM_SECONDS = {"kick": 0.22, "snare": 0.16, "hat": 0.06}
_NOISE_BAND_HZ = {"snare": (900.0, 6_000.0), "hat": (7_000.0, 14_000.0)}
_RAMP_SECONDS = 0.002


@dataclass(frozen=True)
class DrumHit:
    """A drum stroke."""

    onset_seconds: float
    drum: Drum
    velocity: float
    """Loudness of the stroke, 0 … 1."""


@dataclass(frozen=True)
class Timbre:
    """The sound of a note: its harmonics and its envelope."""

    harmonics: tuple[float, ...]
    """Amplitudes of the fundamental and of the harmonics above it."""
    attack_seconds: float
    """Duration of the rise at the start of a note."""
    decay_seconds: float
    """Time constant of the decay to the sustain level."""
    sustain: float
    """Level of a held note after the decay, 0 … 1."""
    release_seconds: float
    """Duration of the fade after the end of a note."""


def render_notes(
    notes: Iterable[Note], timbre: Timbre, *, samples: int, sample_rate: int
) -> Float64:
    """Return the sound of the notes, shape (samples,), float64. Sound after the end is cut off."""
    mix = np.zeros(samples)
    for note in notes:
        _add(mix, _note_sound(note, timbre, sample_rate), note.onset_seconds, sample_rate)
    return mix


def render_drums(
    hits: Iterable[DrumHit], random: np.random.Generator, *, samples: int, sample_rate: int
) -> Float64:
    """Return the sound of the drums, shape (samples,), float64.

    Each drum's noise is generated once with `random`, so all strokes of a drum sound the same.
    """
    sounds: dict[Drum, Float64] = {
        "kick": _kick(sample_rate),
        "snare": _noise_drum("snare", random, sample_rate),
        "hat": _noise_drum("hat", random, sample_rate),
    }
    mix = np.zeros(samples)
    for hit in hits:
        _add(mix, hit.velocity * sounds[hit.drum], hit.onset_seconds, sample_rate)
    return mix


def normalise_level(mix: Float64, sample_rate: int) -> Float32:
    """Return the mix at −18 dBFS, faded out, shape (n,), float32, |samples| < 0.98.

    A mix with high peaks has a lower level.
    """
    peak = np.abs(mix).max(initial=0.0)
    if peak > 0:
        mix = mix * min(RMS / np.sqrt(np.mean(mix**2)), MAX_PEAK / peak)
    fade = min(len(mix), round(0.02 * sample_rate))
    samples: Float32 = (CEILING * np.tanh(mix)).astype(np.float32)
    samples[len(mix) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return samples


def _note_sound(note: Note, timbre: Timbre, sample_rate: int) -> Float64:
    held = max(note.offset_seconds - note.onset_seconds, timbre.attack_seconds)
    time = np.arange(round((held + timbre.release_seconds) * sample_rate)) / sample_rate
    hertz = 440.0 * 2 ** ((note.pitch - 69) / 12)
    wave = np.zeros(len(time))
    for number, amplitude in enumerate(timbre.harmonics, start=1):
        if number * hertz < HIGHEST_HARMONIC * sample_rate:
            wave += amplitude * np.sin(2 * np.pi * number * hertz * time)
    decay = timbre.sustain + (1 - timbre.sustain) * np.exp(-time / timbre.decay_seconds)
    attack = np.clip(time / timbre.attack_seconds, 0, 1)
    release = np.clip((held + timbre.release_seconds - time) / timbre.release_seconds, 0, 1)
    loudness = 0.15 + 0.85 * note.velocity
    return loudness * wave * decay * _raised_cosine(attack) * _raised_cosine(release)


def _kick(sample_rate: int) -> Float64:
    time = np.arange(round(_DRUM_SECONDS["kick"] * sample_rate)) / sample_rate
    hertz = 45 + 90 * np.exp(-time / 0.03)
    return _stroke_envelope(time) * np.sin(2 * np.pi * np.cumsum(hertz) / sample_rate)


def _noise_drum(drum: Drum, random: np.random.Generator, sample_rate: int) -> Float64:
    time = np.arange(round(_DRUM_SECONDS[drum] * sample_rate)) / sample_rate
    low, high = _NOISE_BAND_HZ[drum]
    spectrum = np.fft.rfft(random.standard_normal(len(time)))
    hertz = np.fft.rfftfreq(len(time), 1 / sample_rate)
    band = 1 / np.sqrt(1 + (low / np.maximum(hertz, 1)) ** 4 + (hertz / high) ** 4)
    noise: Float64 = np.fft.irfft(spectrum * band, len(time))
    return 0.4 / float(noise.std()) * noise * _stroke_envelope(time)


def _stroke_envelope(time: Float64) -> Float64:
    """Return an envelope with a steep rise and a decay that ends at 0."""
    decay: Float64 = np.exp(-5 * time / time[-1]) * (1 - time / time[-1])
    return decay * _raised_cosine(np.clip(time / _RAMP_SECONDS, 0, 1))


def _raised_cosine(ramp: Float64) -> Float64:
    """Return a smooth ramp from 0 to 1, computed from the linear ramp `ramp`."""
    smooth: Float64 = 0.5 - 0.5 * np.cos(np.pi * ramp)
    return smooth


def _add(mix: Float64, sound: Float64, onset_seconds: float, sample_rate: int) -> None:
    """Add a sound to the mix at its onset."""
    start = max(0, round(onset_seconds * sample_rate))
    stop = min(start + len(sound), len(mix))
    if start < stop:
        mix[start:stop] += sound[: stop - start]
