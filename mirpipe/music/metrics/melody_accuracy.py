"""Melody: the strongest pitch class of every frame, and how often two tracks agree on it.

Input is mono float32 at 44.1 kHz. A frame is 2,048 samples, a new one begins every 256 (5.8 ms);
its pitch class is 0 (C) … 11 (B). Melody accuracy is the share of equal frames over the shorter
of two tracks: 0 … 1, higher is more alike, chance about 0.085, identical 1. It knows no
transposition and no time shift: the same tune a semitone higher scores about 0.

Source: the frame-wise pitch class match of Music ControlNet (Wu et al. 2023, arXiv 2311.07069) as
the published tables computed it: Butterworth high-pass of order 2 at 261.2 Hz forwards and
backwards, librosa's chroma_stft, argmax. `transcribe` gives exactly those pitch classes.

The argmax finds a pitch class in anything, in a drum loop or in silence too (where it is C), so
every track also has a voiced fraction: the share of frames that are loud (energy above the
high-pass within 20 dB of the track's 95th percentile) and peaked (the strongest pitch class at
least 2.5 times the mean of the twelve). Below 0.6 the track is unpitched, and an accuracy that
it takes part in is a number without musical meaning.

How the demo library falls: 19 drum loops 0.00 … 0.34 (0.26 below the bound), the 14 melodies that
are a query or a query's match 0.84 … 1.00 (0.24 above it). Of the other 27 tracks 4 are unpitched,
0.38 … 0.55 (rock, bossa nova and funk bands with drums, a percussive loop), the rest lies at 0.67
and above. White and pink noise give 0, a sine at the level of the noise around it 1.

Heavy imports stand in the functions that need them: comparing stored melodies needs none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mirpipe.records import Float32, Float64, Score, UInt8
from mirpipe.specs import MetricSpec

MELODY = MetricSpec(
    name="melody",
    version=1,
    unit="pitch class a frame",
    low=0,
    high=11,
    higher_is_better=True,
    citation="Wu et al. 2023, arXiv 2311.07069",
)
ACCURACY = MetricSpec(
    name="melody_accuracy",
    version=MELODY.version,  # computed from stored melodies: theirs change, so does it
    unit="share of frames",
    low=0.0,
    high=1.0,
    higher_is_better=True,
    citation=MELODY.citation,
    compares="melodies",
)

SAMPLE_RATE = 44_100
HIGH_PASS_HZ = 261.2
FRAME_SAMPLES = 2048
HOP_SAMPLES = 256
PITCH_CLASSES = 12

SHORTEST_SAMPLES = 10
"""filtfilt mirrors nine samples beyond each end."""
LONGEST_SECONDS = 1200
"""The filter needs the whole signal in float64: at this length a process takes about 1.5 GB."""

PEAKED = 2.5
"""Strongest pitch class over the mean of all: 1 is flat, 12 a single one."""
LOUD_PERCENTILE = 95
"""The level that loud is measured from; the maximum would be that of a single click."""
LOUD_RATIO = 0.01
"""−20 dB: keeps the decay of a plucked string, loses the ringing between two drum strokes."""
VOICED_FRACTION = 0.6

_BLOCK_FRAMES = 512
_TUNING_BINS = FRAME_SAMPLES // 8 + 1
"""Up to 5.5 kHz; tuning is measured on the peaks below 4 kHz."""


@dataclass(frozen=True, eq=False)
class Melody:
    """The pitch classes of one track, or the reason why it has none."""

    pitch_classes: UInt8 | None
    """Shape (1 + samples // 256,), each 0 … 11."""
    voiced_fraction: float | None
    voiced: bool | None
    """Whether voiced_fraction reaches 0.6."""
    reason: str | None = None


def transcribe(samples: Float32) -> Melody:
    """The melody of a track: mono, shape (n,), 44.1 kHz.

    Undefined, with a reason: `too_short` (below 10 samples), `longer_than_1200_s`. Takes 0.1 s
    for 15 s of audio. Raises ValueError for another shape or dtype, or samples that are not
    finite.
    """
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise ValueError(f"not mono float32: shape {samples.shape}, dtype {samples.dtype}")
    if not np.isfinite(samples).all():
        raise ValueError("samples are not finite")
    if len(samples) < SHORTEST_SAMPLES:
        return Melody(None, None, None, "too_short")
    if len(samples) > LONGEST_SECONDS * SAMPLE_RATE:
        return Melody(None, None, None, f"longer_than_{LONGEST_SECONDS}_s")
    return _transcribe(_high_passed(samples))


def accuracy(target: UInt8, reference: UInt8) -> Score:
    """The share of equal frames over the shorter of two sequences, shapes (n,) and (m,)."""
    frames = min(len(target), len(reference))
    if frames == 0:
        return Score(None, "too_short")
    equal = np.count_nonzero(target[:frames] == reference[:frames])
    return Score(float(equal / frames))


def pack(pitch_classes: UInt8) -> bytes:
    """Two frames a byte, the first in the high half; an odd one out leaves the low half 0."""
    even = np.pad(pitch_classes, (0, len(pitch_classes) % 2))
    return ((even[::2] << 4) | even[1::2]).tobytes()


def unpack(packed: bytes, frames: int) -> UInt8:
    """The pitch classes that `pack` was given, shape (frames,)."""
    both = np.frombuffer(packed, dtype=np.uint8)
    if len(both) != (frames + 1) // 2:
        raise ValueError(f"{len(both)} bytes do not hold {frames} frames")
    return np.stack([both >> 4, both & 0x0F], axis=1).ravel()[:frames]


def _high_passed(samples: Float32) -> Float64:
    from scipy import signal

    numerator, denominator = signal.butter(2, HIGH_PASS_HZ, btype="highpass", fs=SAMPLE_RATE)
    # In float32: the mirrored ends are rounded to it, and the definition's bits depend on that.
    filtered: Float64 = signal.filtfilt(numerator, denominator, samples)
    return filtered


def _transcribe(filtered: Float64) -> Melody:
    """Two passes over the spectrum, block by block: tuning, then chroma.

    Computing the blocks twice costs less than holding them: 20 minutes are 1.7 GB of spectrum.
    """
    from librosa.feature import chroma_stft

    tuning = _tuning(filtered)
    strongest, peaked, energy = [], [], []
    for power in _power(filtered):
        chroma = chroma_stft(S=power, sr=SAMPLE_RATE, n_fft=FRAME_SAMPLES, tuning=tuning)
        strongest.append(np.argmax(chroma, axis=0).astype(np.uint8))
        peaked.append(chroma.max(axis=0) >= PEAKED * chroma.mean(axis=0))
        energy.append(power.sum(axis=0))
    level = np.concatenate(energy)
    loud = (level > 0) & (level >= LOUD_RATIO * np.percentile(level, LOUD_PERCENTILE))
    fraction = float(np.mean(loud & np.concatenate(peaked)))
    return Melody(np.concatenate(strongest), fraction, fraction >= VOICED_FRACTION)


def _power(filtered: Float64) -> Iterator[Float64]:
    """The power spectrum of all centred frames, in blocks of shape (1025, up to 512)."""
    from librosa import stft

    padded = np.pad(filtered, FRAME_SAMPLES // 2)
    frames = 1 + len(filtered) // HOP_SAMPLES
    for start in range(0, frames, _BLOCK_FRAMES):
        stop = min(start + _BLOCK_FRAMES, frames)
        block = padded[start * HOP_SAMPLES : (stop - 1) * HOP_SAMPLES + FRAME_SAMPLES]
        yield np.abs(stft(block, n_fft=FRAME_SAMPLES, hop_length=HOP_SAMPLES, center=False)) ** 2


def _tuning(filtered: Float64) -> float:
    """What librosa's estimate_tuning gives for the whole track, in semitones.

    It looks at peaks below 4 kHz alone, so a quarter of the spectrum at a quarter of the rate
    has the same peaks, to the bit; the floor under them is a tenth of the whole frame's maximum.
    """
    from librosa import piptrack, pitch_tuning

    pitches, magnitudes = [], []
    for power in _power(filtered):
        pitch, magnitude = piptrack(
            S=power[:_TUNING_BINS],
            sr=SAMPLE_RATE // 4,
            n_fft=FRAME_SAMPLES // 4,
            ref=0.1 * power.max(axis=0, keepdims=True),
        )
        pitches.append(pitch[pitch > 0])
        magnitudes.append(magnitude[pitch > 0])
    pitch, magnitude = np.concatenate(pitches), np.concatenate(magnitudes)
    if not len(pitch):
        return 0.0
    return float(pitch_tuning(pitch[magnitude >= np.median(magnitude)], bins_per_octave=12))
