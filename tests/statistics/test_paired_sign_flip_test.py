"""Paired tests: those of scipy, the published figures, and ties that rounding hides."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from mirpipe.statistics.holm_correction import holm
from mirpipe.statistics.paired_sign_flip_test import EXACT_N, compare, sign_flip

# CLAP similarity to the target of nine published clips, and of nine published answers.
MEDIUM = np.array([0.316, 0.379, 0.383, 0.574, 0.522, 0.354, 0.470, 0.609, 0.354])
STRONG = np.array([0.404, 0.397, 0.364, 0.742, 0.452, 0.420, 0.470, 0.552, 0.543])
CLAP = np.array([0.815, 0.920, 0.940, 0.770, 0.829, 0.762, 0.685, 0.663, 0.534])
MUSIC2LATENT = np.array([0.668, 0.635, 0.937, 0.684, 0.835, 0.611, 0.536, 0.514, 0.328])


def scipys(differences: np.ndarray, resamples: float = np.inf) -> float:
    return float(
        stats.permutation_test(
            (differences, np.zeros_like(differences)),
            lambda a, b, axis: np.mean(a - b, axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=resamples,
            rng=np.random.default_rng(3),
        ).pvalue
    )


def column(n: int, seed: int = 0, mean: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 0.3, n)


@pytest.mark.parametrize("n", [2, 5, 9, 13])
def test_exact_p_is_that_of_scipy(n: int) -> None:
    np.testing.assert_allclose(sign_flip([column(n)]), scipys(column(n)), rtol=1e-12)


def test_p_above_twenty_pairs_is_near_that_of_scipy_and_of_the_exact_test() -> None:
    columns = [column(40, 1), column(25, 2), column(300, 3, 0.02)]
    expected = [scipys(one, 9999) for one in columns]
    np.testing.assert_allclose(sign_flip(columns), expected, atol=0.015)
    eighteen = column(18, 4)
    padded = np.concatenate([eighteen, np.zeros(EXACT_N)])  # zeros change no sum
    np.testing.assert_allclose(sign_flip([padded]), sign_flip([eighteen]), atol=0.005)


def test_the_drawn_p_is_never_zero() -> None:
    assert sign_flip([np.ones(1000)], flips=999).tolist() == [0.001]


def test_published_strong_is_not_shown_to_beat_medium() -> None:
    [found] = compare([STRONG - MEDIUM])
    assert (found.n, found.higher_n) == (9, 5)
    assert f"{found.mean:+.3f} {found.p:.3f}" == "+0.043 0.219"
    np.testing.assert_allclose([found.low, found.high], [-0.012, 0.101], atol=0.001)


def test_published_music2latent_is_less_like_its_targets_than_clap() -> None:
    [found] = compare([MUSIC2LATENT - CLAP])
    assert f"{found.mean:+.3f} {found.p:.3f}" == "-0.130 0.012"
    assert found.high < 0


def test_nine_pairs_that_agree_have_the_smallest_p_there_is() -> None:
    [found] = compare([np.arange(1.0, 10.0)])
    assert found.p == 2 / 2**9
    assert f"{found.p:.4f}" == "0.0039"
    assert found.is_exact


def test_sums_that_differ_by_rounding_are_ties() -> None:
    tenths = np.array([0.1, 0.2, 0.3, -0.6, 0.7, 0.1])
    whole = np.round(10 * tenths)
    assert sign_flip([tenths]) == sign_flip([whole]) == scipys(whole)


def test_equal_things_do_not_differ() -> None:
    [few, many] = compare([np.zeros(4), np.zeros(50)])
    assert (few.mean, few.low, few.high, few.p, few.higher_n) == (0, 0, 0, 1, 0)
    assert many.p == 1


def test_one_pair_has_no_interval_and_no_pair_has_nothing() -> None:
    [one, none] = compare([np.array([0.5]), np.empty(0)])
    assert (one.n, one.mean, one.sd, one.p, one.higher_n) == (1, 0.5, 0, 1, 1)
    assert np.isnan([one.low, one.high]).all()
    assert none.n == none.higher_n == 0
    assert np.isnan([none.mean, none.sd, none.low, none.high, none.p]).all()


def test_many_columns_have_the_p_that_each_has_alone() -> None:
    columns = [column(n, n) for n in (5, 30, 9, 200, 21)]
    together = sign_flip(columns)
    assert [together[0], together[2]] == [*sign_flip([columns[0]]), *sign_flip([columns[2]])]
    np.testing.assert_allclose(
        together, np.concatenate([sign_flip([one]) for one in columns]), atol=0.01
    )


@given(arrays(np.float64, st.integers(1, 8), elements=st.integers(-4, 4).map(float)))
def test_exact_p_counts_every_choice_of_signs(differences: np.ndarray) -> None:
    signs = np.array(list(itertools.product([-1, 1], repeat=len(differences))))
    expected = (np.abs(signs @ differences) >= abs(differences.sum())).mean()
    assert sign_flip([differences / 10]).tolist() == [expected]


def test_holm_multiplies_by_how_many_are_left_and_never_falls() -> None:
    ps = np.array([0.01, 0.04, np.nan, 0.03, 0.005])
    np.testing.assert_allclose(holm(ps), [0.03, 0.06, np.nan, 0.06, 0.02])
    assert holm(np.array([0.6, 0.5])).tolist() == [1.0, 1.0]
    assert holm(np.empty(0)).tolist() == []


@given(arrays(np.float64, st.integers(1, 20), elements=st.floats(1e-6, 1)))
def test_holm_lies_between_no_correction_and_bonferronis(ps: np.ndarray) -> None:
    corrected = holm(ps)
    assert (corrected >= ps).all()
    assert (corrected <= np.minimum(1, len(ps) * ps) + 1e-12).all()
    order = np.argsort(ps)
    assert (np.diff(corrected[order]) >= 0).all()
    # rejects what Benjamini and Hochberg's weaker control rejects, or less
    assert (corrected >= stats.false_discovery_control(ps) - 1e-12).all()
