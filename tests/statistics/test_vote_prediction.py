"""How well a metric predicts votes: known accuracies and correlations, and the interval's rate."""

import numpy as np
import pytest
from scipy import stats

from mirpipe.statistics import vote_prediction
from mirpipe.statistics.vote_prediction import predict_votes


def simulate(
    noise: float, *, targets: int, seed: int, voters: int = 10
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return targets, metric differences and votes. The metric is the listeners' taste + noise."""
    random = np.random.default_rng(seed)
    ids = np.repeat(np.arange(targets), 3)
    taste = random.normal(size=len(ids))
    chances = 1 / (1 + np.exp(-2 * taste))
    first = random.binomial(voters, 0.9 * chances)
    second = random.binomial(voters - first, 0.9)
    counts = np.stack([first, second, voters - first - second], axis=1)
    return ids, taste + random.normal(0, noise, len(ids)), counts


def test_the_accuracy_is_the_mean_over_targets_of_the_share_of_votes_for_the_preferred_track() -> (
    None
):
    found = predict_votes(
        np.array([1, 1, 2, 3]),
        np.array([0.5, -0.5, 1.0, 0.0]),
        np.array([[3, 1, 0], [0, 4, 9], [1, 3, 0], [2, 0, 0]]),
    )
    assert found.accuracy == pytest.approx((7 / 8 + 1 / 4 + 1 / 2) / 3)
    assert (found.questions_n, found.targets_n) == (4, 3)
    assert (found.low, found.high, found.reason) == (None, None, "too_few_targets")


def test_the_correlation_is_spearmans_of_both_directions() -> None:
    targets, differences, counts = simulate(1.0, targets=20, seed=1)
    votes = (counts[:, 0] - counts[:, 1]) / 10
    both = [np.concatenate([column, -column]) for column in (differences, votes)]
    found = predict_votes(targets, differences, counts)
    assert found.correlation == pytest.approx(stats.spearmanr(*both).statistic)


def test_exchanging_first_and_second_changes_nothing() -> None:
    targets, differences, counts = simulate(1.0, targets=8, seed=1)
    flipped = np.arange(len(targets)) % 2 == 0
    other = np.where(flipped[:, None], counts[:, [1, 0, 2]], counts)
    signed = np.where(flipped, -differences, differences)
    first, second = (
        predict_votes(targets, differences, counts),
        predict_votes(targets, signed, other),
    )
    assert first.accuracy == second.accuracy
    assert first.correlation == pytest.approx(second.correlation)


def test_a_metric_closer_to_the_listeners_is_better() -> None:
    good, bad = (predict_votes(*simulate(noise, targets=60, seed=2)) for noise in (0.2, 3.0))
    assert good.low is not None
    assert bad.high is not None
    assert good.low > bad.high
    assert good.correlation_low is not None
    assert bad.correlation_high is not None
    assert good.correlation_low > bad.correlation_high


def test_a_metric_without_differences_is_at_chance_and_has_no_correlation() -> None:
    targets, differences, counts = simulate(1.0, targets=8, seed=1)
    found = predict_votes(targets, np.zeros_like(differences), counts)
    assert (found.accuracy, found.correlation) == (0.5, None)
    assert found.reason == "equal_values"


def test_few_questions_have_no_correlation() -> None:
    """With one question, both of its directions would always lie on a line."""
    targets, differences, counts = simulate(1.0, targets=8, seed=1)
    for questions, has_correlation in [(1, False), (4, False), (5, True)]:
        rows = slice(questions)
        found = predict_votes(targets[rows], differences[rows], counts[rows])
        assert found.questions_n == questions
        assert (found.correlation is not None) == has_correlation


def test_votes_for_neither_alone_give_no_accuracy() -> None:
    found = predict_votes(np.array([1, 2]), np.array([1.0, 2.0]), np.array([[0, 0, 3]] * 2))
    assert (found.accuracy, found.correlation, found.reason) == (None, None, "no_target")


def test_the_intervals_contain_the_true_values_at_the_promised_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(vote_prediction, "RESAMPLES", 2)  # The intervals of the truth are not used.
        truth = predict_votes(*simulate(1.0, targets=8000, seed=0))
    contained = []
    for seed in range(1, 201):
        found = predict_votes(*simulate(1.0, targets=25, seed=seed))
        contained.append(
            [
                found.low <= truth.accuracy <= found.high,
                found.correlation_low <= truth.correlation <= found.correlation_high,
            ]
        )
    rates = np.mean(contained, axis=0)
    assert (rates > 0.91).all()
    assert (rates < 0.99).all()
