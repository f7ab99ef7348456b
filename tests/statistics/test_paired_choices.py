"""Davidson's model: the strengths of statsmodels, the true order, and the rate of the intervals."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from mirpipe.records import Float64, Int64
from mirpipe.statistics.paired_choices import PRIOR, fit, strengths
from tests.statistics.simulated_listeners import simulate

PAIRS = np.array(list(combinations(range(4), 2)))
TRUE = np.array([0.9, 0.3, -0.2, -1.0])


def fit_by_regression(pairs: Int64, counts: Float64) -> Float64:
    """Return the strengths by statsmodels: Davidson's model is a Poisson regression.

    Source: Fienberg and Larntz, Log linear representation for paired and multiple comparisons
    models (1976).
    """
    k = pairs.max() + 1
    rows = []
    for number, (i, j) in enumerate(pairs):
        for weights in ({i: 1.0}, {j: 1.0}, {i: 0.5, j: 0.5, k: 1.0}):
            row = np.zeros(k + 1 + len(pairs))
            row[k + 1 + number] = 1.0
            for column, weight in weights.items():
                row[column] = weight
            rows.append(row)
    design = np.delete(np.array(rows), 0, axis=1)  # The first strength is the zero point.
    result = GLM((counts + PRIOR).ravel(), design, family=families.Poisson()).fit(tol=1e-12)
    log_strength = np.concatenate([[0.0], result.params[: k - 1]])
    return np.append(log_strength - log_strength.mean(), result.params[k - 1])


@given(seed=st.integers(0, 1000), votes=st.integers(1, 40))
def test_the_strengths_are_those_of_a_poisson_regression(seed: int, votes: int) -> None:
    random = np.random.default_rng(seed)
    counts = random.multinomial(votes, [0.5, 0.3, 0.2], size=len(PAIRS)).astype(float)
    np.testing.assert_allclose(fit(PAIRS, counts), fit_by_regression(PAIRS, counts), atol=1e-5)


def test_two_subjects_without_ties_have_the_log_odds_of_their_wins() -> None:
    counts = np.array([[30.0, 10.0, 0.0]])
    found = fit(np.array([[0, 1]]), counts)
    assert found[0] - found[1] == pytest.approx(np.log((30 + PRIOR) / (10 + PRIOR)))


def test_exchanging_the_sides_exchanges_the_strengths() -> None:
    counts = np.array([[8.0, 3.0, 2.0], [5.0, 5.0, 1.0], [1.0, 9.0, 4.0]])
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    swapped = fit(pairs[:, ::-1], counts[:, [1, 0, 2]])
    np.testing.assert_allclose(swapped, fit(pairs, counts), atol=1e-9)


def test_a_subject_that_wins_all_votes_has_a_finite_strength() -> None:
    counts = np.array([[20.0, 0.0, 0.0], [20.0, 0.0, 0.0], [10.0, 10.0, 0.0]])
    found = fit(np.array([[0, 1], [0, 2], [1, 2]]), counts)
    assert np.isfinite(found).all()
    assert found[0] > 2
    assert found[1] == pytest.approx(found[2])


def test_equal_listeners_have_no_intervals() -> None:
    """They do not show how much other listeners would differ."""
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    counts = np.tile([[3.0, 1.0, 0.0], [2.0, 1.0, 1.0], [1.0, 3.0, 0.0]], (8, 1, 1))
    found = strengths(pairs, counts)
    assert np.isnan([found.low, found.high]).all()
    counts[0] = counts[0][:, ::-1]
    assert (strengths(pairs, counts).low < strengths(pairs, counts).high).all()


def test_four_listeners_have_no_intervals() -> None:
    found = strengths(PAIRS, simulate(PAIRS, TRUE, listeners=4, votes=6, seed=1))
    assert np.isnan(found.low).all()
    assert np.isfinite(found.log_strength).all()


def test_the_true_order_is_recovered() -> None:
    found = strengths(PAIRS, simulate(PAIRS, TRUE, listeners=40, votes=5, seed=2))
    assert list(np.argsort(-found.log_strength)) == [0, 1, 2, 3]
    assert ((found.low < found.log_strength) & (found.log_strength < found.high)).all()


@pytest.mark.parametrize("listeners", [8, 25])
def test_the_intervals_contain_the_true_strengths_at_the_promised_rate(listeners: int) -> None:
    """Listeners differ in their taste and in their noise, and each gives 4 votes per pair."""
    # The strengths that an unlimited number of such listeners would have.
    true = fit(PAIRS, simulate(PAIRS, TRUE, listeners=40_000, votes=4, seed=0).sum(axis=0))[:-1]
    contained = []
    for seed in range(1, 301):
        found = strengths(
            PAIRS, simulate(PAIRS, TRUE, listeners=listeners, votes=4, seed=seed), resamples=300
        )
        contained.append((found.low <= true) & (true <= found.high))
    rate = np.mean(contained)
    assert 0.93 < rate < 0.98
