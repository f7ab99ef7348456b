"""Group tests equal scipy and statsmodels, and need five targets on both sides."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from mirpipe.statistics.group_test import correct_exploratory, group_p_value


def values(n: int) -> np.ndarray:
    return np.random.default_rng(n).normal(size=n)


def test_p_is_that_of_mann_and_whitney() -> None:
    is_in_group = np.arange(14) < 6
    expected = stats.mannwhitneyu(values(14)[:6], values(14)[6:], method="exact").pvalue
    assert group_p_value(values(14), is_in_group) == pytest.approx(expected, rel=1e-12)


def test_separate_groups_have_the_smallest_p() -> None:
    assert group_p_value(np.arange(10.0), np.arange(10) < 5) == pytest.approx(2 / 252)


@pytest.mark.parametrize("group", [4, 6])
def test_fewer_than_five_targets_on_a_side_have_no_p(group: int) -> None:
    assert np.isnan(group_p_value(values(10), np.arange(10) < group))


def test_correction_equals_statsmodels_and_leaves_nan_out() -> None:
    _, expected, _, _ = multipletests([0.01, 0.2, 0.03], method="fdr_bh")
    corrected = correct_exploratory([0.01, np.nan, 0.2, 0.03])
    np.testing.assert_allclose(corrected, [expected[0], np.nan, expected[1], expected[2]])
    assert np.isnan(correct_exploratory([np.nan])).all()
    assert correct_exploratory([]).shape == (0,)
