"""Records that stages, plug-ins and the database layer pass to each other. All are frozen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mirpipe.files.addresses import Address
from mirpipe.generation.modes import Mode

Collection = Literal["reference", "target", "generated"]
COLLECTIONS: tuple[Collection, ...] = ("reference", "target", "generated")

Task = Literal["retrieval", "generation"]
"""What is evaluated: best matches, or clips."""

ContentKind = Literal["samples", "packets", "file"]
"""What identifies a track: its decoded samples, its coded packets, or its file's bytes."""

LABELS = ("genre", "instrument", "work")
"""Labels that define relevance: a reference is relevant if it has the same label as the target."""

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int16 = NDArray[np.int16]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
UInt8 = NDArray[np.uint8]
UInt32 = NDArray[np.uint32]

Progress = Callable[[int, int], None]
"""A callback that a stage calls with the number of finished items and the total number."""


class TitleAndLabels(NamedTuple):
    """Title and labels of a file or a track."""

    title: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class MonoMix:
    """How the channels of a track become mono, measured over the complete track."""

    channel: int | None = None
    """Number of the channel that is used alone, from 0. None means the downmix of all channels."""
    dc_offset: float = 0.0
    """DC offset that is subtracted from the mono samples."""


FindingKind = Literal[
    "damage",
    "early_end",
    "length",
    "checksum",
    "clipping",
    "silence",
    "dead_channel",
    "inverted_channel",
    "dc_offset",
    "level",
    "bandwidth",
]
Severity = Literal["info", "warning"]


@dataclass(frozen=True)
class Finding:
    """Something about a track's audio that may affect its results."""

    kind: FindingKind
    severity: Severity
    """`warning` if the results may be wrong, `info` if they are hardly affected."""
    seconds: float | None
    """Position in the track, in seconds. None if the finding concerns the complete track."""
    detail: str
    """One sentence for users."""


@dataclass(frozen=True)
class AudioMeasurement:
    """What is stored about the audio of a track, besides the columns of its row."""

    mix: MonoMix
    correlation: float | None
    """Correlation of the two channels, from -1 to 1. None if there are not two, or one has a
    constant value."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Fingerprint:
    """The acoustic fingerprint of a track, or the reason why it has none."""

    revision: str
    """What computed the fingerprint. Only fingerprints of one revision are compared."""
    frames: bytes | None
    """One 32-bit value per 0.124 s, little-endian."""
    reason: str | None = None
    """Reason code if there are no frames."""


@dataclass(frozen=True)
class Silence:
    """The silent parts of a track, and the level of the other parts."""

    parts: tuple[tuple[float, float], ...]
    """Start and end of each silent part, in seconds, ascending."""
    share: float
    """Share of the track's duration that is silent, from 0 to below 1."""
    sounding_rms_dbfs: float
    """RMS level of the parts that are not silent, without their DC offset, in dB relative to full
    scale."""


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """Levels of logarithmic frequency bands over time, for a picture."""

    levels: UInt8
    """Shape (bands, columns): the lowest band first. 255 is the maximum, and 0 is 60 dB below it.
    """
    seconds: float
    """Length of the part of the file that is drawn, from its beginning."""
    lowest_hz: float
    """Lower edge of the first band."""
    highest_hz: float
    """Upper edge of the last band."""


@dataclass(frozen=True)
class Track:
    """A usable library track, and a file that contains it."""

    track_id: int
    collection: Collection
    content_sha256: bytes
    """SHA-256 that identifies the track's audio, 32 bytes."""
    title: str
    path: Address
    """Where the file is: a local path, or an object in S3."""
    seconds: float
    rms_dbfs: float
    """RMS level of the mono mix without its DC offset, in dB relative to full scale."""
    file_sha256: bytes | None = None
    """SHA-256 of the bytes of the file at `path`, 32 bytes. None if it was never hashed."""
    mono: MonoMix | None = None
    """How its channels become mono. None if it was ingested before mirpipe measured this."""
    silence: Silence | None = None
    """The silent parts. None if they have not been measured yet."""
    etag: str | None = None
    """ETag of the ingested version of an object in S3. None for a local file and for a clip."""

    @property
    def subject(self) -> str:
        """Key of the track in the failure ledger, such as `target:2f1b…`."""
        return f"{self.collection}:{self.content_sha256.hex()}"


@dataclass(frozen=True)
class Excerpt:
    """The part of a target that is captioned, conditions the clips, and is compared with them."""

    excerpt_id: int
    start_seconds: float
    """Start in the target, in seconds."""
    seconds: float
    """Duration, in seconds."""
    is_whole: bool
    """Whether the excerpt is the complete target."""


@dataclass(frozen=True)
class AudioSegment:
    """Mono samples and their rate: a window of a track, or conditioning audio."""

    samples: Float32
    """Mono samples after gain, shape (n,), float32. The last window of a track may be shorter."""
    sample_rate: int
    """Samples per second."""


@dataclass(frozen=True)
class Note:
    """A transcribed note."""

    onset_seconds: float
    offset_seconds: float
    pitch: int
    """MIDI number, 0 … 127. Number 69 is the A at 440 Hz."""
    velocity: float
    """Loudness of the note, 0 … 1."""


@dataclass(frozen=True)
class TempoCandidate:
    """A tempo at which a listener may count, and how well it fits."""

    bpm: float
    """Beats per minute."""
    strength: float
    """How well the tempo fits, 0 … 1. The stored tempo has 1."""


PLAUSIBLE_STRENGTH = 0.5
"""Smallest strength of a tempo that listeners may count as well as the stored tempo."""


@dataclass(frozen=True)
class Features:
    """The measured properties of a track, used for captions and as generation input.

    A property that cannot be measured is None or empty, and `reasons` contains the reason.
    """

    tempo_bpm: float | None
    """Beats per minute."""
    beat_seconds: tuple[float, ...]
    """Beat times in seconds, ascending. Empty if the track has no tempo."""
    meter: int | None
    """Beats per bar."""
    key: str | None
    """Name of the key, such as `A minor` or `Bb major`."""
    key_clarity: float | None
    """How much better the best key fits than the second-best key, 0 … 1."""
    voiced_fraction: float
    """Share of voiced frames, 0 … 1, as the melody metrics measure it."""
    notes: tuple[Note, ...]
    """The transcription, sorted by onset and pitch. Empty if the track is unpitched."""
    onsets_per_second: float
    """Number of onsets per second."""
    brightness_hz: float
    """Mean spectral centroid, in Hz."""
    reasons: Mapping[str, str]
    """Reason codes for the missing properties, by field name."""
    tempo_candidates: tuple[TempoCandidate, ...] = ()
    """The tempo, its half and its double, ascending. Empty if the track has no tempo."""

    @property
    def plausible_tempos(self) -> tuple[float, ...]:
        """The tempos at which listeners may count, in BPM, ascending: the tempo and its octaves."""
        if self.tempo_bpm is None:
            return ()
        plausible = {
            candidate.bpm
            for candidate in self.tempo_candidates
            if candidate.strength >= PLAUSIBLE_STRENGTH
        }
        return tuple(sorted(plausible | {self.tempo_bpm}))


@dataclass(frozen=True)
class CaptionInput:
    """The input of a captioner for one track."""

    segment: AudioSegment
    """The window that the stage chose, at SPEC.sample_rate."""
    features: Features
    """The features of the complete track."""


@dataclass(frozen=True)
class GenerationRequest:
    """A request for one clip."""

    mode: Mode
    prompt: str
    """The model's text input: the caption, or the caption with tempo and meter."""
    seconds: float
    """Duration of the clip, in seconds."""
    seed: int
    """Seed for the random sampling."""
    conditioning: AudioSegment | None
    """The harmonic component of the target's excerpt with its onsets. None if the mode uses only
    text, or if the generator needs no conditioning audio."""
    features: Features | None
    """The features of the target, with the notes and beats of its excerpt. None if the mode uses
    only text."""


@dataclass(frozen=True)
class Score:
    """A number, or the reason why there is no number. Exactly one of the fields is None."""

    value: float | None
    reason: str | None = None
    """Reason code, such as `unpitched`."""

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError(f"a score needs either a value or a reason, not {self!r}")
        if self.value is not None and not np.isfinite(self.value):
            raise ValueError(f"a score must be finite, or undefined with a reason: {self.value}")
