"""Transcribes a track's melody: the strongest pitch class of each frame.

The input is mono float32 audio at 44.1 kHz. A frame has 2,048 samples, and frames start every 256
samples (5.8 ms). A pitch class is 0 (C) … 11 (B).

Source: the frame-wise pitch class match of Music ControlNet (Wu et al. 2023, arXiv 2311.07069), as
it was computed for the published tables: a Butterworth high-pass filter of order 2 at 261.2 Hz,
applied forwards and backwards, then librosa's chroma_stft, then argmax. `transcribe_melody` returns
exactly these pitch classes. The published definition also gives silence a pitch class (C), so
silence agrees with silence. This project transcribes only the parts of a track that are not silent.

librosa and scipy.signal are imported inside the functions, because code that only compares stored
melodies does not need them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mirpipe.music.compiled_functions import use_compiled_functions
from mirpipe.music.features.voiced_fraction import VOICED_FRACTION, peaked_frames, voiced_fraction
from mirpipe.records import Excerpt, Float32, Float64, UInt8
from mirpipe.specs import MetricSpec

MELODY = MetricSpec(
    name="melody",
    version=2,
    unit="pitch class per frame",
    low=0,
    high=11,
    higher_is_better=True,
    citation="Wu et al. 2023, arXiv 2311.07069",
)

SAMPLE_RATE = 44_100
HIGH_PASS_HZ = 261.2
FRAME_SAMPLES = 2048
HOP_SAMPLES = 256
PITCH_CLASSES = 12
SILENT_FRAME = 12
"""Code of a frame in a silent part of the track. Such a frame has no pitch class."""

SHORTEST_SAMPLES = 10
"""Length of the shortest supported track. The filter needs nine mirrored samples at each end."""
LONGEST_SECONDS = 1200
"""Duration of the longest supported audio. Filtering it in float64 takes about 1.5 GB."""

_BLOCK_FRAMES = 512
_KEPT_SAMPLES = 60 * SAMPLE_RATE
"""Longest audio whose complete spectrum is kept between the passes. It takes 85 MB for a minute."""
_TUNING_BINS = FRAME_SAMPLES // 8 + 1
"""Number of frequency bins up to 5.5 kHz. The tuning depends only on peaks below 4 kHz."""


@dataclass(frozen=True, eq=False)
class Melody:
    """The pitch classes of a track, or the reason why it has none."""

    pitch_classes: UInt8 | None
    """Pitch class of each frame, 0 … 11, or `SILENT_FRAME`, shape (1 + samples // 256,), uint8."""
    voiced_fraction: float | None
    """Share of voiced frames, 0 … 1."""
    voiced: bool | None
    """Whether the track is pitched, that is, whether its voiced fraction is at least 0.6."""
    reason: str | None = None
    """Reason code if there are no pitch classes."""


def transcribe_melody(samples: Float32) -> Melody:
    """Return the melody of mono samples at 44.1 kHz, shape (n,), float32.

    The melody is undefined if there are fewer than 10 samples (reason `too_short`) or more than 20
    minutes of audio (reason `longer_than_1200_s`). The computation takes 0.1 s for 15 s of audio.
    Raises ValueError if the array has a different shape or dtype, or if samples are not finite.
    """
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise ValueError(
            f"samples must be mono float32, not shape {samples.shape}, dtype {samples.dtype}"
        )
    if not np.isfinite(samples).all():
        raise ValueError("samples must be finite, not infinite or NaN")
    if len(samples) < SHORTEST_SAMPLES:
        return Melody(None, None, None, "too_short")
    if len(samples) > LONGEST_SECONDS * SAMPLE_RATE:
        return Melody(None, None, None, f"longer_than_{LONGEST_SECONDS}_s")
    use_compiled_functions()
    return _melody_of(_high_pass(samples))


def cut_pitch_classes(pitch_classes: UInt8, excerpt: Excerpt) -> UInt8:
    """Return the pitch classes of an excerpt: as many frames as a track of its length has.

    `pitch_classes` are those of the complete track, shape (frames,). The frame that is nearest to
    the start of the excerpt becomes the first one.
    """
    first = round(excerpt.start_seconds * SAMPLE_RATE / HOP_SAMPLES)
    frames = 1 + round(excerpt.seconds * SAMPLE_RATE) // HOP_SAMPLES
    return pitch_classes[first : first + frames]


def _high_pass(samples: Float32) -> Float64:
    from scipy import signal

    numerator, denominator = signal.butter(2, HIGH_PASS_HZ, btype="highpass", fs=SAMPLE_RATE)
    # The input stays float32, because the exact result of the published definition depends on
    # rounding the mirrored ends to float32.
    filtered: Float64 = signal.filtfilt(numerator, denominator, samples)
    return filtered


def _melody_of(filtered: Float64) -> Melody:
    """Return the melody of filtered samples, in two passes over the spectrum: tuning, then chroma.

    For long audio, both passes compute the spectrum block by block, because storing the complete
    spectrum would take 1.7 GB for 20 minutes.
    """
    from librosa.feature import chroma_stft

    kept = list(_power_spectra(filtered)) if len(filtered) <= _KEPT_SAMPLES else None
    tuning = _tuning(kept or _power_spectra(filtered))
    strongest, is_peaked, energy = [], [], []
    for power in kept or _power_spectra(filtered):
        chroma = chroma_stft(S=power, sr=SAMPLE_RATE, n_fft=FRAME_SAMPLES, tuning=tuning)
        strongest.append(np.argmax(chroma, axis=0).astype(np.uint8))
        is_peaked.append(peaked_frames(chroma))
        energy.append(power.sum(axis=0))
    fraction = voiced_fraction(np.concatenate(energy), np.concatenate(is_peaked))
    return Melody(np.concatenate(strongest), fraction, fraction >= VOICED_FRACTION)


def _power_spectra(filtered: Float64) -> Iterator[Float64]:
    """Yield the power spectrum of all centred frames, in blocks of shape (1025, up to 512)."""
    from librosa import stft

    padded = np.pad(filtered, FRAME_SAMPLES // 2)
    frames = 1 + len(filtered) // HOP_SAMPLES
    for start in range(0, frames, _BLOCK_FRAMES):
        stop = min(start + _BLOCK_FRAMES, frames)
        block = padded[start * HOP_SAMPLES : (stop - 1) * HOP_SAMPLES + FRAME_SAMPLES]
        yield np.abs(stft(block, n_fft=FRAME_SAMPLES, hop_length=HOP_SAMPLES, center=False)) ** 2


def _tuning(power_spectra: Iterable[Float64]) -> float:
    """Return a track's tuning in semitones, equal to the result of librosa's estimate_tuning.

    `power_spectra` are the blocks that `_power_spectra` yields. librosa uses only peaks below
    4 kHz. The lowest quarter of the spectrum, analysed with a quarter of the sample rate, has
    bit-identical peaks. A peak must exceed a tenth of the complete frame's maximum.
    """
    from librosa import piptrack, pitch_tuning

    pitches, magnitudes = [], []
    for power in power_spectra:
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
