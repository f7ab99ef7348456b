"""The step-down min-p test equals a plain implementation and keeps its level."""

import itertools

import numpy as np
import pytest

from mirpipe.statistics.paired_sign_flip_test import sign_flip_p_values
from mirpipe.statistics.step_down_min_p import step_down_min_p


def correlated(targets: int, metrics: int, seed: int, *, means: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    shared = random.normal(size=(targets, 1))
    return means + 0.7 * shared + 0.7 * random.normal(size=(targets, metrics))


def plain_min_p(differences: np.ndarray) -> tuple[list[float], list[float]]:
    """Compute the test one sign choice and one metric at a time."""
    values = np.nan_to_num(differences)
    targets, metrics = values.shape
    choices = list(itertools.product([1, -1], repeat=targets))
    sums = [[abs(np.dot(signs, column)) for column in values.T] for signs in choices]

    def p_of(metric: int, total: float) -> float:
        return sum(row[metric] >= total - 1e-9 for row in sums) / len(sums)

    ps = [[p_of(metric, row[metric]) for metric in range(metrics)] for row in sums]
    observed = ps[0]
    order = sorted(range(metrics), key=lambda metric: observed[metric])
    corrected, largest = [0.0] * metrics, 0.0
    for place, metric in enumerate(order):
        rest = order[place:]
        share = sum(
            min(row[each] for each in rest) <= observed[metric] + 1e-12 for row in ps
        ) / len(ps)
        largest = max(largest, share)
        corrected[metric] = largest
    return observed, corrected


@pytest.mark.parametrize("seed", range(4))
def test_p_values_equal_a_plain_implementation(seed: int) -> None:
    differences = correlated(6, 4, seed, means=0.5)
    differences[:2, 1] = np.nan
    expected, expected_corrected = plain_min_p(differences)
    p, corrected = step_down_min_p(differences)
    np.testing.assert_allclose(p, expected, rtol=1e-12)
    np.testing.assert_allclose(corrected, expected_corrected, rtol=1e-12)


def test_one_metric_has_the_p_value_of_the_sign_flip_test() -> None:
    differences = correlated(12, 1, 3, means=0.4)
    p, corrected = step_down_min_p(differences)
    assert p.tolist() == corrected.tolist()
    np.testing.assert_allclose(p, sign_flip_p_values([differences[:, 0]]), rtol=1e-12)


def test_equal_metrics_cost_nothing() -> None:
    differences = np.repeat(correlated(9, 1, 1, means=1.0), 5, axis=1)
    p, corrected = step_down_min_p(differences)
    np.testing.assert_allclose(corrected, p, rtol=1e-12)


def test_sampled_p_values_are_close_to_the_exact_ones() -> None:
    # Targets without any difference make a sample necessary and do not change exact p-values.
    differences = correlated(12, 3, 2, means=0.4)
    padded = np.vstack([differences, np.zeros((20, 3))])
    for exact, sampled in zip(step_down_min_p(differences), step_down_min_p(padded), strict=True):
        np.testing.assert_allclose(sampled, exact, atol=0.005)


def test_a_metric_with_few_targets_does_not_take_the_power_of_the_others() -> None:
    differences = correlated(9, 2, 5, means=2.0)
    alone = step_down_min_p(differences[:, :1])[1]
    differences[3:, 1] = np.nan
    assert step_down_min_p(differences)[1][0] == alone[0] == 2**-8


@pytest.mark.parametrize("n", [8, 11])
def test_any_false_difference_is_found_in_at_most_5_percent_of_cases(n: int) -> None:
    found = [(step_down_min_p(correlated(n, 6, seed))[1] < 0.05).any() for seed in range(2000)]
    assert np.mean(found) <= 0.062  # 0.05 plus two and a half standard errors
