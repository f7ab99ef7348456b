"""Computes the spectrogram that onsets, beats, meter and brightness are computed from.

The input is mono audio at 22,050 Hz. A frame has 2,048 samples, and frames start every 512 samples
(23 ms).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mirpipe.records import Float32

SAMPLE_RATE = 22_050
FRAME_SAMPLES = 2048
HOP_SAMPLES = 512
FRAMES_PER_SECOND = SAMPLE_RATE / HOP_SAMPLES
MEL_BANDS = 128
AUDIBLE_DB = -40.0
"""Lowest level of a frame that is included in the brightness, relative to the loudest frame."""

_BLOCK_FRAMES = 4096


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """The mel spectrogram and the brightness of a track."""

    mel_db: Float32
    """Level of each mel band in dB, shape (128, 1 + n // 512), at most 80 dB below the maximum."""
    brightness_hz: float
    """Mean spectral centroid of the audible frames, in Hz, or 0 for silence."""


def compute_spectrogram(samples: Float32) -> Spectrogram:
    """Return the spectrogram of mono audio at 22,050 Hz, shape (n,), float32.

    The spectrum is computed block by block, so only the mel bands of all frames are kept in memory.
    """
    from librosa import power_to_db
    from librosa.filters import mel

    filters = mel(sr=SAMPLE_RATE, n_fft=FRAME_SAMPLES, n_mels=MEL_BANDS)
    frequencies = np.fft.rfftfreq(FRAME_SAMPLES, 1 / SAMPLE_RATE).astype(np.float32)
    bands, centroids, energies = [], [], []
    for magnitude in _magnitudes(samples):
        power = magnitude**2
        bands.append(filters @ power)
        centroids.append(frequencies @ magnitude / np.maximum(magnitude.sum(axis=0), 1e-20))
        energies.append(power.sum(axis=0))
    energy = np.concatenate(energies)
    is_audible = (energy > 0) & (energy >= 10 ** (AUDIBLE_DB / 10) * energy.max())
    brightness = float(np.concatenate(centroids)[is_audible].mean()) if is_audible.any() else 0.0
    return Spectrogram(power_to_db(np.concatenate(bands, axis=1), top_db=80.0), brightness)


def _magnitudes(samples: Float32) -> Iterator[Float32]:
    """Yield the magnitudes of all centred frames, in blocks of shape (1025, up to 4096)."""
    from librosa import stft

    padded = np.pad(samples, FRAME_SAMPLES // 2)
    frames = 1 + len(samples) // HOP_SAMPLES
    for start in range(0, frames, _BLOCK_FRAMES):
        stop = min(start + _BLOCK_FRAMES, frames)
        block = padded[start * HOP_SAMPLES : (stop - 1) * HOP_SAMPLES + FRAME_SAMPLES]
        yield np.abs(stft(block, n_fft=FRAME_SAMPLES, hop_length=HOP_SAMPLES, center=False))
