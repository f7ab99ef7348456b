"""A verdict on a mean difference follows from its 95% interval and the margin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mirpipe.records import Float64
from mirpipe.statistics.non_inferiority import combined, non_inferiority
from mirpipe.statistics.paired_sign_flip_test import compare

SPREAD = np.linspace(-0.1, 0.1, 40)


def verdict(differences: Float64, margin: float) -> str:
    [test] = compare([differences])
    return non_inferiority(test, margin)


@pytest.mark.parametrize(
    ("mean", "margin", "expected"),
    [
        (0.1, 0, "better"),
        (0, 0, "undecided"),
        (0, 0.05, "not worse"),
        (-0.03, 0.05, "not worse"),
        (-0.05, 0.05, "undecided"),
        (-0.1, 0.05, "worse"),
        (-0.1, 0, "worse"),
    ],
)
def test_the_interval_and_the_margin_decide(mean: float, margin: float, expected: str) -> None:
    assert verdict(SPREAD + mean, margin) == expected


def test_a_large_p_value_is_no_proof_of_equality() -> None:
    differences = np.array([-0.3, 0.25, -0.1, 0.2, -0.15, 0.05])
    [test] = compare([differences])
    assert test.p > 0.05
    assert non_inferiority(test, 0.05) == "undecided"


def test_four_differences_are_too_few() -> None:
    assert verdict(np.full(4, 0.0), 1) == "undecided"
    assert verdict(np.full(5, 0.0), 0) == "not worse"


@given(value=st.floats(-1, 1), margin=st.floats(0, 1))
def test_equal_differences_are_judged_by_their_value(value: float, margin: float) -> None:
    expected = "better" if value > 0 else "not worse" if value >= -margin else "worse"
    assert verdict(np.full(8, value), margin) == expected


def test_symmetric_differences_have_the_verdict_of_the_one_sided_t_test() -> None:
    for mean in (-0.08, -0.06, -0.04, 0.0):
        differences = stats.norm.ppf((np.arange(200) + 0.5) / 200, mean, 0.1)
        p = stats.ttest_1samp(differences, -0.05, alternative="greater").pvalue
        assert (verdict(differences, 0.05) == "not worse") == (p < 0.025)


def test_all_metrics_must_pass() -> None:
    assert combined(["better", "not worse"]) == "not worse"
    assert combined(["better", "better"]) == "better"
    assert combined(["better", "undecided"]) == "undecided"
    assert combined(["worse", "undecided"]) == "worse"
    assert combined([]) == "undecided"
