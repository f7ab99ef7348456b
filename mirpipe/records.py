"""Records that stages, plug-ins and the database layer pass to each other. All are frozen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mirpipe.generation.modes import Mode

Collection = Literal["reference", "target", "generated"]
COLLECTIONS: tuple[Collection, ...] = ("reference", "target", "generated")

LABELS = ("genre", "instrument", "work")
"""Labels that rankings are held against: what shares one is a right answer by it."""

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]

Progress = Callable[[int, int], None]
"""Called with the amount done and the total."""


@dataclass(frozen=True)
class Track:
    """A usable track of the library and a file that holds it."""

    track_id: int
    collection: Collection
    content_sha256: bytes
    title: str
    path: Path
    seconds: float
    rms_dbfs: float
    """Level of the mono mix without its constant part, in dB relative to full scale."""

    @property
    def subject(self) -> str:
        """The track's natural key, under which the ledger knows it."""
        return f"{self.collection}:{self.content_sha256.hex()}"


@dataclass(frozen=True)
class AudioSegment:
    """Mono samples with their rate: a window of a track, or conditioning audio."""

    samples: Float32
    """Shape (n,), mono, gain already applied; n is the window's length or, at a tail, less."""
    sample_rate: int


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
class Heard:
    """What a captioner is given of one track."""

    segment: AudioSegment
    """The chosen window at SPEC.sample_rate."""
    features: Features
    """Of the whole track."""


@dataclass(frozen=True)
class Request:
    """One clip that is asked of a generator."""

    mode: Mode
    prompt: str
    """Text as the model gets it: the caption, or the caption with tempo and meter."""
    seconds: float
    seed: int
    conditioning: AudioSegment | None
    """The target's harmonic part with its onsets; None in a mode of text alone."""
    features: Features | None
    """Those of the target; None in a mode of text alone."""


@dataclass(frozen=True)
class Score:
    """A number, or the reason why there is none: exactly one of the two is None."""

    value: float | None
    reason: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError(f"a score has a value or a reason, not {self!r}")
        if self.value is not None and not np.isfinite(self.value):
            raise ValueError(f"a score is finite or undefined with a reason, not {self.value}")
