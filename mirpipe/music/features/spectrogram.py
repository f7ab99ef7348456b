"""The one spectrogram that onsets, meter and brightness are read from.

Mono audio at 22,050 Hz; a frame is 2,048 samples, a new one begins every 512 (23 ms).
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
"""A frame counts for the brightness down to this level below the loudest one."""

_BLOCK_FRAMES = 4096


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Spectral facts of one track."""

    mel_db: Float32
    """Shape (128, 1 + n // 512), at most 80 below its maximum."""
    brightness_hz: float
    """Mean spectral centroid of the audible frames; 0 in silence."""


def spectrum(samples: Float32) -> Spectrum:
    """The facts of mono audio, shape (n,), at 22,050 Hz; memory grows with the mel bands alone."""
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
    audible = (energy > 0) & (energy >= 10 ** (AUDIBLE_DB / 10) * energy.max())
    brightness = float(np.concatenate(centroids)[audible].mean()) if audible.any() else 0.0
    return Spectrum(power_to_db(np.concatenate(bands, axis=1), top_db=80.0), brightness)


def _magnitudes(samples: Float32) -> Iterator[Float32]:
    """The magnitudes of all centred frames, in blocks of shape (1025, up to 4096)."""
    from librosa import stft

    padded = np.pad(samples, FRAME_SAMPLES // 2)
    frames = 1 + len(samples) // HOP_SAMPLES
    for start in range(0, frames, _BLOCK_FRAMES):
        stop = min(start + _BLOCK_FRAMES, frames)
        block = padded[start * HOP_SAMPLES : (stop - 1) * HOP_SAMPLES + FRAME_SAMPLES]
        yield np.abs(stft(block, n_fft=FRAME_SAMPLES, hop_length=HOP_SAMPLES, center=False))
