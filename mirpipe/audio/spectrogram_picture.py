"""A picture of a file's spectrum over time: the level of each frequency band in each column.

It is no measurement: it reads at most the first minutes, and resamples and aligns nothing. The
dashboard runs this module as a process, so that a large or damaged file cannot affect the server.
"""

import sys
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from mirpipe.audio.decode import decode
from mirpipe.audio.downmix import channel_weights, mix_to_mono
from mirpipe.files.printable_path import AnyPath
from mirpipe.records import Float32, Spectrogram

MAX_SECONDS = 120.0
"""Longest beginning of a file that is drawn."""
MAX_SAMPLES = 2**24
"""Largest number of samples that are read, which limits the memory at high sample rates."""
ROWS, COLUMNS = 96, 480
LOWEST_HZ, HIGHEST_HZ = 40.0, 16_000.0
RANGE_DB = 60.0
"""Levels that are this far below the maximum, or farther, are 0."""
_FRAME_SECONDS = 0.1


def spectrogram_picture(path: AnyPath) -> Spectrogram:
    """Return the spectrogram of the first two minutes of a file, at most 96 bands × 480 columns.

    The bands reach up to 16,000 Hz, or to half the sample rate if that is less.
    Raises RejectedInput with one of the reasons of `decode`.
    """
    samples, sample_rate = _load_beginning(path)
    frame_samples = 2 ** round(np.log2(_FRAME_SECONDS * sample_rate))
    highest_hz = min(HIGHEST_HZ, sample_rate / 2)
    edges_hz = np.geomspace(LOWEST_HZ, highest_hz, ROWS + 1)
    power = _band_power(samples, frame_samples, edges_hz * frame_samples / sample_rate)
    seconds = len(samples) / sample_rate
    return Spectrogram(_to_levels(power), seconds, LOWEST_HZ, highest_hz)


def _load_beginning(path: AnyPath) -> tuple[Float32, int]:
    """Return the first minutes of the file as mono, shape (n,), and the sample rate."""
    with decode(path) as audio:
        weights = channel_weights(audio.channels, audio.channel_mask)
        left = min(int(MAX_SECONDS * audio.sample_rate), MAX_SAMPLES)
        parts = []
        for block in audio.blocks:
            parts.append(mix_to_mono(block[:left], weights))
            left -= len(parts[-1])
            if not left:
                break
    return np.nan_to_num(np.concatenate(parts)), audio.sample_rate


def _band_power(
    samples: Float32, frame_samples: int, edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean power of each band in each column, shape (bands, columns).

    `edges` are the edges of the bands in bins of the spectrum, shape (bands + 1,). A narrow band
    contains a part of a bin.
    """
    hop = max(1, min(frame_samples // 2, len(samples) // COLUMNS))
    padded = np.pad(samples, frame_samples // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame_samples)[::hop]
    columns = min(COLUMNS, len(frames))
    window = np.hanning(frame_samples).astype(np.float32)
    bins = np.arange(frame_samples // 2 + 2) - 0.5
    power = np.empty((len(edges) - 1, columns))
    for column, block in enumerate(np.array_split(frames, columns)):
        spectrum = np.square(np.abs(np.fft.rfft(block * window, axis=1))).mean(axis=0)
        sums = np.concatenate(([0.0], np.cumsum(spectrum, dtype=np.float64)))
        power[:, column] = np.diff(np.interp(edges, bins, sums)) / np.diff(edges)
    return power


def _to_levels(power: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the power in dB below the maximum, scaled to 0 … 255. Silence is 0 everywhere."""
    maximum = power.max()
    if maximum <= 0:
        return np.zeros(power.shape, np.uint8)
    below_db = 10 * np.log10(np.maximum(power / maximum, 10 ** (-RANGE_DB / 10)))
    levels: NDArray[np.uint8] = np.rint((1 + below_db / RANGE_DB) * 255).astype(np.uint8)
    return levels


def main(path: str) -> None:
    """Write the picture of a file to the standard output, as an archive of numpy arrays."""
    archive = BytesIO()
    np.savez(archive, **vars(spectrogram_picture(path)))
    sys.stdout.buffer.write(archive.getvalue())


if __name__ == "__main__":
    main(sys.argv[1])
