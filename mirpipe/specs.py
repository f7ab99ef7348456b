"""Plug-in and metric specs: what identifies each one, what it needs, and its load options.

A revision is a hash of the spec fields that determine the results.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Compared = Literal["melodies", "notes", "vectors", "caption"]
"""Input of a pair metric: stored data of two tracks, or a caption and a clip (`caption`)."""

DECODING_VERSION = 3
"""Version of the samples that `mirpipe.audio` returns for a file. It is part of every revision.

Increase it if the samples of any file change. Then all results are computed again.
"""

MAX_DIMENSION = 5_000
"""Largest dimension of an encoder's vectors.

For z, the sum of the outer products of the vectors is stored in one value of 8 D² bytes. In a
statement, Postgres accepts such a value up to 256 MiB.
"""


@dataclass(frozen=True)
class EncoderSpec:
    """An encoder's identity, and information about the encoder for users.

    The revision depends on every field except `checkpoint`, `dimension`, the licences and the
    citation. If a field that the revision depends on changes, all vectors become pending again.
    """

    name: str
    version: int
    """Version of the plug-in. Increase it if the vectors change but no other field does."""
    checkpoint: str
    """The publisher's name for the weights."""
    checkpoint_sha256: str
    """Hash of the weights, or of the encoder's constants if it has no weights."""
    sample_rate: int
    """Sample rate of the windows, in Hz."""
    window_samples: int
    """Length of a window, in samples."""
    dimension: int
    """Length of a vector, at most MAX_DIMENSION."""
    gain_dbfs: float | None
    """RMS level to which a track is scaled before encoding. None keeps the track's own level."""
    licence_code: str
    licence_weights: str
    citation: str
    min_seconds: float = 0.5
    """Shortest audio, without silence, that has a vector, in seconds. It matters only if it is
    shorter than a window."""
    pooling: str = "length-weighted mean without silence, L2"
    resampler: str = "soxr HQ"
    compute_dtype: str = "float32"
    is_random: bool = False
    """Whether the weights are random, as in tests. Not part of the revision."""


@dataclass(frozen=True)
class TrackMetricSpec:
    """The identity of a model that scores tracks, window by window.

    All axes of the model share one revision. It depends on every field except `checkpoint`, the
    licences and the citation.
    """

    name: str
    version: int
    """Version of the plug-in. Increase it if the scores change but no other field does."""
    checkpoint: str
    """The publisher's name for the weights."""
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
    """Whether the last window always counts. If false, it counts only if it is at least half
    full."""
    min_seconds: float = 0.1
    """Shortest audio, without silence, that has scores, in seconds."""
    pooling: str = "length-weighted mean without silence"
    resampler: str = "soxr HQ"
    compute_dtype: str = "float32"
    is_random: bool = False
    """Whether the weights are random, as in tests. Not part of the revision."""


@dataclass(frozen=True)
class CaptionerSpec:
    """A captioner's identity, and information about the captioner for users.

    The revision depends on every field except `checkpoint`, the licences and the citation.
    """

    name: str
    version: int
    """Version of the plug-in. Increase it if the captions change but no other field does."""
    checkpoint: str
    """The publisher's name for the weights."""
    checkpoint_sha256: str
    """Hash of the weights."""
    sample_rate: int
    """Sample rate of the window, in Hz."""
    window_samples: int
    """Maximum length of the window, in samples. The stage chooses one window per track."""
    instruction: str
    """Instruction to the model. Empty if the model takes no instruction."""
    licence_code: str
    licence_weights: str
    citation: str
    compute_dtype: str = "float32"
    is_random: bool = False
    """Whether the weights are random, as in tests. Not part of the revision."""


@dataclass(frozen=True)
class GeneratorSpec:
    """A generator's identity, and information about the generator for users.

    The revision depends on every field except `checkpoint`, the licences, the citation, and the
    fields whose description says so.
    """

    name: str
    version: int
    """Version of the plug-in. Increase it if the clips change but no other field does."""
    checkpoint: str
    """The publisher's name for the weights."""
    checkpoint_sha256: str
    """Hash of the weights."""
    sample_rate: int
    """Sample rate of the clips and of the conditioning audio, in Hz."""
    longest_seconds: float
    """Duration of the longest clip that the model can generate, in seconds."""
    has_guidance: bool
    """Whether the model has a classifier-free guidance scale."""
    sampling: Mapping[str, float | int | bool]
    """All sampling parameters except guidance, seed and duration."""
    licence_code: str
    licence_weights: str
    citation: str
    compute_dtype: str = "float32"
    uses_conditioning_audio: bool = True
    """Whether the model needs the conditioning audio in conditioned modes. If not, it receives only
    the target's features. Not part of the revision."""
    is_random: bool = False
    """Whether the weights are random, as in tests. Not part of the revision."""


@dataclass(frozen=True)
class MetricSpec:
    """A metric's identity, and information about the metric for users.

    The revision depends on `name`, on `version`, and on the revisions of the metric's input.
    """

    name: str
    version: int
    """Version of the metric. Increase it if the numbers change."""
    unit: str
    low: float | None
    """Lowest possible value. None means that there is no lower bound."""
    high: float
    """Highest possible value."""
    higher_is_better: bool | None
    """None means that the value says nothing about quality."""
    citation: str
    licence_weights: str = ""
    """Licence of the weights that the metric depends on. Empty if it depends on no weights."""
    compares: Compared | None = None
    """What the metric compares. None means that the metric measures a single track."""


@dataclass(frozen=True)
class WeightFile:
    """A file on the Hugging Face hub, and the content that it must have."""

    repository: str
    commit: str
    """Repository commit from which the file is downloaded. If `sha256` is None, this can also be a
    branch: the commit of the first download is then recorded and used for later downloads."""
    filename: str
    megabytes: int
    """Size of the file, in MB."""
    sha256: str | None
    """Published SHA-256. If None, the user confirms the first copy, and later copies must have the
    same SHA-256."""


@dataclass(frozen=True)
class Needs:
    """The libraries and weights that a plug-in needs: the value of `NEEDS` in its module."""

    libraries: tuple[str, ...]
    """Import names of the required libraries that the core package does not install."""
    weights: tuple[WeightFile, ...]
    """Weights that determine the results. Their hashes are part of the revision."""
    text_weights: tuple[WeightFile, ...] = ()
    """Weights that only `embed_text` needs."""
    compute_dtypes: tuple[str, ...] = ("float32", "bfloat16")
    """Number formats that the user can choose."""

    @property
    def can_use_gpu(self) -> bool:
        """Whether the plug-in computes on a GPU if there is one: whether it uses torch."""
        return "torch" in self.libraries


@dataclass(frozen=True)
class Runtime:
    """Load options for a plug-in with NEEDS: verified weights, number format and device."""

    files: Mapping[WeightFile, Path]
    """Paths of the verified weights. Contains `text_weights` only if they are present."""
    compute_dtype: str
    """Number format of the computation: `float32`, `bfloat16` or `int8`."""
    device: str
    """`cpu`, or `cuda` for torch's current GPU, which this process has reserved."""
    generate_batch: int = 1
    """Number of clips that a generator makes at the same time, if it supports batches."""
