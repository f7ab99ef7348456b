"""Specs of plug-ins and metrics: what identifies each one, what it needs, and its load options.

A revision is a hash over the fields of a spec that determine the results.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Compared = Literal["melodies", "notes", "vectors", "caption"]
"""Input of a pair metric: stored data of two tracks, or a caption and a clip (`caption`)."""


@dataclass(frozen=True)
class EncoderSpec:
    """The identity of an encoder, and information about it for users.

    The revision depends on every field except `checkpoint`, `dimension`, the licences and the
    citation. If one of these fields changes, all vectors become pending again.
    """

    name: str
    version: int
    """Version of the plug-in. Raise it if the vectors change and no other field does."""
    checkpoint: str
    """Name of the weights, as their publisher calls them."""
    checkpoint_sha256: str
    """Hash of the weights, or of the constants of an encoder without weights."""
    sample_rate: int
    """Sample rate of the windows, in Hz."""
    window_samples: int
    """Length of a window, in samples."""
    dimension: int
    """Length of a vector."""
    gain_dbfs: float | None
    """RMS level to which a track is brought before encoding. None keeps the track's own level."""
    licence_code: str
    licence_weights: str
    citation: str
    pooling: str = "length-weighted mean, L2"
    resampler: str = "soxr HQ"
    compute_dtype: str = "float32"
    is_random: bool = False
    """Whether the weights are random, which only tests use. Not part of the revision."""


@dataclass(frozen=True)
class TrackMetricSpec:
    """The identity of a model that scores tracks, window by window.

    All axes of the model share one revision. It depends on every field except `checkpoint`, the
    licences and the citation.
    """

    name: str
    version: int
    """Version of the plug-in. Raise it if the scores change and no other field does."""
    checkpoint: str
    """Name of the weights, as their publisher calls them."""
    checkpoint_sha256: str
    """Hash of the weights."""
    sample_rate: int
    """Sample rate of the windows, in Hz."""
    window_samples: int
    """Length of a window, in samples."""
    axes: tuple[str, ...]
    """Names of the stored metrics, in the order of the columns that `score` returns."""
    low: float
    """Lowest possible score."""
    high: float
    """Highest possible score."""
    unit: str
    licence_code: str
    licence_weights: str
    citation: str
    keep_tail: bool = True
    """Whether the last window always counts. Otherwise it counts only if at least half full."""
    pooling: str = "length-weighted mean"
    resampler: str = "soxr HQ"
    compute_dtype: str = "float32"
    is_random: bool = False
    """Whether the weights are random, which only tests use. Not part of the revision."""


@dataclass(frozen=True)
class CaptionerSpec:
    """The identity of a captioner, and information about it for users.

    The revision depends on every field except `checkpoint`, the licences and the citation.
    """

    name: str
    version: int
    """Version of the plug-in. Raise it if the captions change and no other field does."""
    checkpoint: str
    """Name of the weights, as their publisher calls them."""
    checkpoint_sha256: str
    """Hash of the weights."""
    sample_rate: int
    """Sample rate of the window, in Hz."""
    window_samples: int
    """Greatest length of the window, in samples. The stage chooses one window per track."""
    instruction: str
    """Instruction to the model. Empty if the model takes no instruction."""
    licence_code: str
    licence_weights: str
    citation: str
    compute_dtype: str = "float32"
    is_random: bool = False
    """Whether the weights are random, which only tests use. Not part of the revision."""


@dataclass(frozen=True)
class GeneratorSpec:
    """The identity of a generator, and information about it for users.

    The revision depends on every field except `checkpoint`, the licences and the citation.
    """

    name: str
    version: int
    """Version of the plug-in. Raise it if the clips change and no other field does."""
    checkpoint: str
    """Name of the weights, as their publisher calls them."""
    checkpoint_sha256: str
    """Hash of the weights."""
    sample_rate: int
    """Sample rate of the clips and of the conditioning audio, in Hz."""
    longest_seconds: float
    """Duration of the longest clip that the model can generate."""
    has_guidance: bool
    """Whether the model has a classifier-free guidance scale."""
    sampling: Mapping[str, float | int | bool]
    """All parameters of the sampling except guidance, seed and duration."""
    licence_code: str
    licence_weights: str
    citation: str
    compute_dtype: str = "float32"
    is_random: bool = False
    """Whether the weights are random, which only tests use. Not part of the revision."""


@dataclass(frozen=True)
class MetricSpec:
    """The identity of a metric, and information about it for users.

    The revision depends on `name`, on `version`, and on the revisions of the metric's input.
    """

    name: str
    version: int
    """Version of the metric. Raise it if the numbers change."""
    unit: str
    low: float | None
    """Lowest possible value. None means that there is no lower bound."""
    high: float
    """Highest possible value."""
    higher_is_better: bool
    citation: str
    licence_weights: str = ""
    """Licence of the weights that the metric depends on. Empty if there are none."""
    compares: Compared | None = None
    """What the metric compares. None means that it measures a single track."""


@dataclass(frozen=True)
class WeightFile:
    """A file on the Hugging Face hub, and the content that it must have."""

    repository: str
    commit: str
    """Commit of the repository from which the file is downloaded."""
    filename: str
    megabytes: int
    """Size of the file, in MB."""
    sha256: str | None
    """Published SHA-256. If it is None, the first downloaded file sets the expected hash."""


@dataclass(frozen=True)
class Needs:
    """The libraries and weights that a plug-in needs: the value of `NEEDS` in its module."""

    libraries: tuple[str, ...]
    """Import names of the libraries that the core package does not install."""
    weights: tuple[WeightFile, ...]
    """Weights that determine the results. Their hashes are part of the revision."""
    text_weights: tuple[WeightFile, ...] = ()
    """Weights that only `embed_text` needs."""
    compute_dtypes: tuple[str, ...] = ("float32", "bfloat16")
    """Number formats that the user can choose."""


@dataclass(frozen=True)
class Runtime:
    """The load options of a plug-in with NEEDS: verified weights, number format and device."""

    files: Mapping[WeightFile, Path]
    """Paths of the verified weights. Contains `text_weights` only if they are present."""
    compute_dtype: str
    """Number format of the computation: `float32`, `bfloat16` or `int8`."""
    device: str
    """`cpu`, `cuda`, or `auto`, which means CUDA if it is available and otherwise the CPU."""
