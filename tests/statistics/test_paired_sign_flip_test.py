"""Paired tests equal scipy and the published values, and treat rounding differences as ties."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from mirpipe.statistics.paired_sign_flip_test import EXACT_N, compare, sign_flip_p_values

# CLAP similarities of nine published clips to their targets, in two modes ...
MEDIUM = np.array([0.316, 0.379, 0.383, 0.574, 0.522, 0.354, 0.470, 0.609, 0.354])
STRONG = np.array([0.404, 0.397, 0.364, 0.742, 0.452, 0.420, 0.470, 0.552, 0.543])
# ... and of nine published best matches to their targets, by two encoders.
CLAP = np.array([0.815, 0.920, 0.940, 0.770, 0.829, 0.762, 0.685, 0.663, 0.534])
MUSIC2LATENT = np.array([0.668, 0.635, 0.937, 0.684, 0.835, 0.611, 0.536, 0.514, 0.328])


def scipy_p(differences: np.ndarray, resamples: float = np.inf) -> float:
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


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 11), st.integers(0, 1000), st.floats(-0.5, 0.5))
def test_exact_p_equals_scipy(n: int, seed: int, mean: float) -> None:
    differences = column(n, seed, mean)
    np.testing.assert_allclose(sign_flip_p_values([differences]), scipy_p(differences), rtol=1e-12)


def test_exact_p_of_thirteen_pairs_equals_scipy() -> None:
    np.testing.assert_allclose(sign_flip_p_values([column(13)]), scipy_p(column(13)), rtol=1e-12)


def test_sampled_p_is_close_to_scipy_and_to_the_exact_test() -> None:
    columns = [column(40, 1), column(25, 2), column(300, 3, 0.02)]
    expected = [scipy_p(differences, 9999) for differences in columns]
    np.testing.assert_allclose(sign_flip_p_values(columns), expected, atol=0.015)
    eighteen = column(18, 4)
    padded = np.concatenate([eighteen, np.zeros(EXACT_N)])  # Zeros do not change any sum.
    np.testing.assert_allclose(
        sign_flip_p_values([padded]), sign_flip_p_values([eighteen]), atol=0.005
    )


def test_sampled_p_is_never_zero() -> None:
    assert sign_flip_p_values([np.ones(1000)], flips=999).tolist() == [0.001]


def test_published_strong_mode_is_not_established_to_be_better_than_medium() -> None:
    [found] = compare([STRONG - MEDIUM])
    assert (found.n, found.higher_n) == (9, 5)
    assert f"{found.mean:+.3f} {found.p:.3f}" == "+0.043 0.219"
    np.testing.assert_allclose([found.low, found.high], [-0.025, 0.134], atol=0.001)


def test_published_music2latent_matches_are_less_similar_than_those_of_clap() -> None:
    [found] = compare([MUSIC2LATENT - CLAP])
    assert f"{found.mean:+.3f} {found.p:.3f}" == "-0.130 0.012"
    assert found.high < 0


def test_nine_pairs_with_equal_signs_have_the_smallest_possible_p() -> None:
    [found] = compare([np.arange(1.0, 10.0)])
    assert found.p == 2 / 2**9
    assert f"{found.p:.4f}" == "0.0039"
    assert found.is_exact


def test_sums_that_differ_only_by_rounding_are_ties() -> None:
    tenths = np.array([0.1, 0.2, 0.3, -0.6, 0.7, 0.1])
    integers = np.round(10 * tenths)
    assert sign_flip_p_values([tenths]) == sign_flip_p_values([integers]) == scipy_p(integers)


def test_equal_values_do_not_differ() -> None:
    [few, many] = compare([np.zeros(4), np.zeros(50)])
    assert (few.mean, few.p, few.higher_n, few.equal_n) == (0, 1, 0, few.n)
    assert np.isnan([few.low, few.high]).all()
    assert many.p == 1


def test_one_pair_has_no_interval_and_no_pairs_have_no_numbers() -> None:
    [single, empty] = compare([np.array([0.5]), np.empty(0)])
    assert (single.n, single.mean, single.sd, single.p, single.higher_n) == (1, 0.5, 0, 1, 1)
    assert np.isnan([single.low, single.high]).all()
    assert empty.n == empty.higher_n == 0
    assert np.isnan([empty.mean, empty.sd, empty.low, empty.high, empty.p]).all()


def test_columns_together_have_the_p_of_each_alone() -> None:
    columns = [column(n, n) for n in (5, 30, 9, 200, 21)]
    together = sign_flip_p_values(columns)
    alone = np.concatenate([sign_flip_p_values([differences]) for differences in columns])
    assert [together[0], together[2]] == [alone[0], alone[2]]
    np.testing.assert_allclose(together, alone, atol=0.01)


@given(arrays(np.float64, st.integers(1, 8), elements=st.integers(-4, 4).map(float)))
def test_exact_p_counts_all_sign_choices(differences: np.ndarray) -> None:
    signs = np.array(list(itertools.product([-1, 1], repeat=len(differences))))
    expected = (np.abs(signs @ differences) >= abs(differences.sum())).mean()
    assert sign_flip_p_values([differences / 10]).tolist() == [expected]
