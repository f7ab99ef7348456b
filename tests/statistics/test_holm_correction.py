"""Holm's correction equals manually calculated values and the results of statsmodels."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.stats.multitest import multipletests

from mirpipe.statistics.holm_correction import holm

P_VALUES = arrays(np.float64, st.integers(1, 20), elements=st.floats(1e-6, 1))


def test_each_p_is_multiplied_by_the_number_of_tests_left_and_never_falls() -> None:
    ps = np.array([0.01, 0.04, np.nan, 0.03, 0.005])
    np.testing.assert_allclose(holm(ps), [0.03, 0.06, np.nan, 0.06, 0.02])
    assert holm(np.array([0.6, 0.5])).tolist() == [1.0, 1.0]
    assert holm(np.empty(0)).tolist() == []


@settings(deadline=None, max_examples=10)  # statsmodels takes 0.4 s per call
@given(P_VALUES)
def test_corrected_p_values_equal_statsmodels(ps: np.ndarray) -> None:
    _, expected, _, _ = multipletests(ps, method="holm")
    np.testing.assert_allclose(holm(ps), expected, rtol=1e-12)


@given(P_VALUES)
def test_corrected_p_values_lie_between_no_correction_and_bonferroni(ps: np.ndarray) -> None:
    corrected = holm(ps)
    assert (corrected >= ps).all()
    assert (corrected <= np.minimum(1, len(ps) * ps) + 1e-12).all()
    order = np.argsort(ps)
    assert (np.diff(corrected[order]) >= 0).all()
    # Benjamini and Hochberg's method controls a weaker error rate, so it rejects at least as many
    # hypotheses.
    assert (corrected >= stats.false_discovery_control(ps) - 1e-12).all()
