"""The mean over windows is weighted by window length."""

import numpy as np

from mirpipe.statistics.length_weighted_mean import LengthWeightedMean


def test_the_mean_is_weighted_by_length() -> None:
    rows, lengths = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]]), np.array([8.0, 8.0, 4.0])
    mean = LengthWeightedMean(2)
    mean.add(rows[:2], lengths[:2])
    mean.add(rows[2:], lengths[2:])
    assert mean.total_length == 20
    np.testing.assert_allclose(mean.mean(), np.average(rows, axis=0, weights=lengths))


def test_a_single_row_is_added_exactly() -> None:
    random = np.random.default_rng(0)
    expected, mean = np.zeros(512), LengthWeightedMean(512)
    for length in (48_000, 48_000, 31_337):
        row = random.standard_normal(512)
        expected += length * row
        mean.add(row[None], np.array([length], np.float64))
    assert mean.weighted_sum.tobytes() == expected.tobytes()
