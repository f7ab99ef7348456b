"""Frozen nouns of captioning and generating music."""

from collections.abc import Mapping
from dataclasses import dataclass

from mirpipe.modes import Mode as Mode
from mirpipe.records import Clip


@dataclass(frozen=True)
class Note:
    """One note of a transcription."""

    onset_seconds: float
    offset_seconds: float
    pitch: int
    """MIDI number; 69 is the A of 440 Hz."""
    velocity: float
    """0 … 1."""


@dataclass(frozen=True)
class Features:
    """What is measured of a track to caption it and to condition a generation on it.

    What cannot be measured is None, and `reasons` says why, by field name.
    """

    tempo_bpm: float | None
    beat_seconds: tuple[float, ...]
    """Ascending; empty where there is no tempo."""
    meter: int | None
    """Beats a bar."""
    key: str | None
    """Such as `A minor` or `Bb major`."""
    key_clarity: float | None
    """0 … 1: how far the best key is above the next one."""
    voiced_fraction: float
    """0 … 1, as the melody metric measures it."""
    notes: tuple[Note, ...]
    """By onset, then pitch; empty where nothing is pitched."""
    onsets_per_second: float
    brightness_hz: float
    """Mean spectral centroid."""
    reasons: Mapping[str, str]


@dataclass(frozen=True)
class CaptionerSpec:
    """What identifies a captioner; `name` to `compute_dtype` make the revision."""

    name: str
    version: int
    checkpoint: str
    checkpoint_sha256: str
    sample_rate: int
    window_samples: int
    """At most this much of a track is heard: the window that the stage chooses."""
    instruction: str
    """What the model is asked; empty where it cannot be asked anything."""
    licence_code: str
    licence_weights: str
    citation: str
    compute_dtype: str = "float32"


@dataclass(frozen=True)
class Heard:
    """What a captioner is given of one track."""

    clip: Clip
    """The chosen window at SPEC.sample_rate."""
    features: Features
    """Of the whole track."""


@dataclass(frozen=True)
class GeneratorSpec:
    """What identifies a generator; `name` to `compute_dtype` make the revision."""

    name: str
    version: int
    checkpoint: str
    checkpoint_sha256: str
    sample_rate: int
    """Of the clips that it makes, and of the conditioning audio that it wants."""
    longest_seconds: float
    has_guidance: bool
    sampling: Mapping[str, float | int | bool]
    """Every parameter of the sampling but guidance, seed and duration."""
    licence_code: str
    licence_weights: str
    citation: str
    compute_dtype: str = "float32"


@dataclass(frozen=True)
class Request:
    """One clip that is asked of a generator."""

    mode: Mode
    prompt: str
    """Text as the model gets it: the caption, or the caption with tempo and meter."""
    seconds: float
    seed: int
    conditioning: Clip | None
    """The target's harmonic part with its onsets; None in a mode of text alone."""
    features: Features | None
    """Those of the target; None in a mode of text alone."""
