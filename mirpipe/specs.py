"""Specs: what identifies each plug-in, what it needs, and what it is loaded with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Compared = Literal["melodies", "notes", "vectors", "caption"]
"""Of two tracks; of a caption and a clip."""


@dataclass(frozen=True)
class EncoderSpec:
    """What identifies an encoder and what a user may want to know of it.

    `name` to `compute_dtype` make the revision: change one, and every vector is missing again.
    """

    name: str
    version: int
    """The plug-in's own: raise it when its vectors change for any other reason."""
    checkpoint: str
    checkpoint_sha256: str
    """Of the weights' bytes, or of the constants that stand for them."""
    sample_rate: int
    window_samples: int
    dimension: int
    gain_dbfs: float | None
    """RMS level a track is brought to before the encoder; None where the level carries meaning."""
    licence_code: str
    licence_weights: str
    citation: str
    pooling: str = "length-weighted mean, L2"
    resampler: str = "soxr HQ"
    compute_dtype: str = "float32"


@dataclass(frozen=True)
class TrackMetricSpec:
    """What identifies a model that scores tracks, each window by itself.

    `name` to `compute_dtype` make the revision of all its axes.
    """

    name: str
    version: int
    checkpoint: str
    checkpoint_sha256: str
    sample_rate: int
    window_samples: int
    axes: tuple[str, ...]
    """The metrics it gives, as they are stored: the columns of a row, in order."""
    low: float
    high: float
    unit: str
    licence_code: str
    licence_weights: str
    citation: str
    keep_tail: bool = True
    """Whether a last window counts however short it is, or where at least half full alone."""
    pooling: str = "length-weighted mean"
    resampler: str = "soxr HQ"
    compute_dtype: str = "float32"


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
class MetricSpec:
    """What identifies a metric; `name`, `version` and what it is made from make its revision."""

    name: str
    version: int
    unit: str
    low: float | None
    """None: without a bound."""
    high: float
    higher_is_better: bool
    citation: str
    licence_weights: str = ""
    compares: Compared | None = None
    """What of two things a number compares; None: it is about one track."""


@dataclass(frozen=True)
class WeightFile:
    """A file that its publisher offers on the Hugging Face hub, and the bytes it must hold."""

    repository: str
    commit: str
    """The state of the repository that is fetched."""
    filename: str
    megabytes: int
    sha256: str | None
    """As the publisher gives it; None: the first file that is seen is held to from then on."""


@dataclass(frozen=True)
class Needs:
    """What a plug-in runs on besides the core packages: `NEEDS` of its module."""

    libraries: tuple[str, ...]
    """Modules, named as they are imported."""
    weights: tuple[WeightFile, ...]
    """They determine the vectors, so their bytes are part of the revision."""
    text_weights: tuple[WeightFile, ...] = ()
    """Needed to embed text, and for nothing else."""
    compute_dtypes: tuple[str, ...] = ("float32", "bfloat16")
    """What the user may choose from."""


@dataclass(frozen=True)
class Runtime:
    """What a plug-in with NEEDS is loaded with."""

    files: Mapping[WeightFile, Path]
    """Where the weights lie, checked; those for text only where they are present."""
    compute_dtype: str
    device: str
    """`cpu`, `cuda`, or `auto`: the first that is there of CUDA and CPU."""
