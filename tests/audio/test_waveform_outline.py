"""The outline of a track: lowest and highest sample of 400 stretches."""

import numpy as np
import pytest

from mirpipe.audio.waveform_outline import COLUMNS, Peaks


def outline(samples: np.ndarray, block: int = 44100) -> np.ndarray:
    peaks = Peaks()
    for start in range(0, len(samples), block):
        peaks.add(samples[start : start + block].astype(np.float32))
    return np.frombuffer(peaks.packed(), np.int8).reshape(-1, 2)


def test_a_click_stands_in_its_own_column_alone() -> None:
    samples = np.zeros(64 * COLUMNS * 2)
    samples[64 * 2 * 100 + 5] = 1.0
    samples[64 * 2 * 250] = -0.5
    drawn = outline(samples)
    assert drawn.shape == (COLUMNS, 2)
    assert drawn[100].tolist() == [0, 127]
    assert drawn[250].tolist() == [-64, 0]
    assert np.count_nonzero(drawn) == 2


@pytest.mark.parametrize("seconds", [0.001, 0.3, 20, 400])
def test_every_length_fills_every_column_and_loses_no_peak(seconds: float) -> None:
    samples = np.full(int(seconds * 44100), 0.25)
    samples[len(samples) // 2] = 0.75
    samples[-1] = -1.0
    drawn = outline(samples)
    assert drawn[:, 1].min() >= 31
    assert drawn[:, 1].max() == 95
    assert drawn[-1, 0] == -127


def test_blocks_make_no_difference() -> None:
    samples = np.random.default_rng(0).normal(size=7_000_000) / 4
    assert (outline(samples, 44100) == outline(samples, 999_983)).all()


def test_what_exceeds_full_scale_is_clipped() -> None:
    assert outline(np.full(44100, 3e4))[0].tolist() == [127, 127]
