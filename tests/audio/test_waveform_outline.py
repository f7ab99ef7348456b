"""The waveform outline: the lowest and highest sample in each of 400 columns."""

import numpy as np
import pytest

from mirpipe.audio.waveform_outline import COLUMNS, WaveformOutline


def outline_columns(samples: np.ndarray, block_samples: int = 44100) -> np.ndarray:
    """Return the outline of samples that are added block by block, shape (COLUMNS, 2)."""
    outline = WaveformOutline()
    for start in range(0, len(samples), block_samples):
        outline.add(samples[start : start + block_samples].astype(np.float32))
    return np.frombuffer(outline.packed(), np.int8).reshape(-1, 2)


def test_a_click_is_in_its_own_column_only() -> None:
    samples = np.zeros(64 * COLUMNS * 2)
    samples[64 * 2 * 100 + 5] = 1.0
    samples[64 * 2 * 250] = -0.5
    columns = outline_columns(samples)
    assert columns.shape == (COLUMNS, 2)
    assert columns[100].tolist() == [0, 127]
    assert columns[250].tolist() == [-64, 0]
    assert np.count_nonzero(columns) == 2


@pytest.mark.parametrize("seconds", [0.001, 0.3, 20, 400])
def test_a_track_of_any_length_fills_every_column_and_keeps_its_peaks(seconds: float) -> None:
    samples = np.full(int(seconds * 44100), 0.25)
    samples[len(samples) // 2] = 0.75
    samples[-1] = -1.0
    columns = outline_columns(samples)
    assert columns[:, 1].min() >= 31
    assert columns[:, 1].max() == 95
    assert columns[-1, 0] == -127


def test_the_size_of_the_blocks_does_not_change_the_outline() -> None:
    samples = np.random.default_rng(0).normal(size=7_000_000) / 4
    assert (outline_columns(samples, 44100) == outline_columns(samples, 999_983)).all()


def test_samples_above_full_scale_are_clipped() -> None:
    assert outline_columns(np.full(44100, 3e4))[0].tolist() == [127, 127]
