"""How well a metric predicts the votes of listeners: pairwise accuracy and rank correlation.

For each question, the metric prefers the track with the higher value. Pairwise accuracy is the
share of votes for that track, without votes for neither; it is computed for each target and
averaged, and 0.5 is expected by chance. The rank correlation is Spearman's, between the difference
of the metric and the mean vote. Each question enters it in both directions, because which track is
the first one has no meaning. Both intervals are over targets, like those of all metrics. Source for
pairwise accuracy: Thompson et al., A human evaluation of automatic metrics (WMT 2024).
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from mirpipe.records import Float64, Int64
from mirpipe.statistics.mean_intervals import LEVEL, MIN_N, SEED, intervals, missing_reason

RESAMPLES = 500


@dataclass(frozen=True)
class VotePrediction:
    """How well a metric predicts votes. Undefined values are None."""

    questions_n: int
    """Number of questions with votes for which both values of the metric are defined."""
    targets_n: int
    """Number of their targets that have a vote for one of the tracks."""
    accuracy: float | None
    """Share of votes for the track that the metric prefers, 0 to 1: a mean over targets."""
    low: float | None
    high: float | None
    """Ends of the 95% interval of the accuracy."""
    correlation: float | None
    """Spearman's rank correlation, −1 to 1. None if there are fewer than 5 questions, or if all
    differences or all votes are equal."""
    correlation_low: float | None
    correlation_high: float | None
    """Ends of the 95% interval of the correlation."""
    reason: str | None
    """Code of the reason why there is no interval of the accuracy, such as too_few_targets."""


def predict_votes(
    targets: Int64, differences: Float64, counts: Int64, *, seed: int = SEED
) -> VotePrediction:
    """Return how well the differences of a metric predict the votes on n questions.

    `targets` contains the target of each question, shape (n,). `differences` is the value of the
    first track minus that of the second, shape (n,), finite. `counts` contains the votes for the
    first track, the second track and neither, shape (n, 3), with at least one vote per question.
    """
    by_target = [np.flatnonzero(targets == target) for target in np.unique(targets)]
    chosen = np.where(differences > 0, counts[:, 0], counts[:, 1])
    right = np.where(differences == 0, counts[:, :2].mean(axis=1), chosen)
    decided = counts[:, :2].sum(axis=1)
    accuracies = np.array(
        [right[rows].sum() / decided[rows].sum() for rows in by_target if decided[rows].any()],
        np.float64,
    )
    [(low, high)] = intervals([accuracies], ranges=[(0.0, 1.0)])
    votes = (counts[:, 0] - counts[:, 1]) / counts.sum(axis=1)
    correlation = _correlation(differences, votes)
    bounds: tuple[float | None, float | None] = (None, None)
    if correlation is not None and len(by_target) >= MIN_N:
        error = _standard_error(by_target, differences, votes, np.random.default_rng(seed))
        margin = stats.t.ppf((1 + LEVEL) / 2, len(by_target) - 1) * error
        bounds = max(-1.0, correlation - margin), min(1.0, correlation + margin)
    return VotePrediction(
        questions_n=len(targets),
        targets_n=len(accuracies),
        accuracy=float(accuracies.mean()) if len(accuracies) else None,
        low=None if np.isnan(low) else float(low),
        high=None if np.isnan(high) else float(high),
        correlation=correlation,
        correlation_low=bounds[0],
        correlation_high=bounds[1],
        reason=missing_reason(len(accuracies), low),
    )


def _standard_error(
    by_target: list[Int64], differences: Float64, votes: Float64, random: np.random.Generator
) -> float:
    """Return the standard deviation of the correlation over resamples of the targets."""
    n, found = len(by_target), []
    for drawn in random.integers(0, n, (RESAMPLES, n)):
        rows = np.concatenate([by_target[index] for index in drawn])
        resampled = _correlation(differences[rows], votes[rows])
        if resampled is not None:
            found.append(resampled)
    return float(np.std(found, ddof=1) * np.sqrt(n / (n - 1)))


def _correlation(differences: Float64, votes: Float64) -> float | None:
    """Return the rank correlation of both directions of each question, or None.

    With a single question, the correlation would always be 1 or −1.
    """
    if len(votes) < MIN_N or not differences.any() or not votes.any():
        return None
    ranks = stats.rankdata(
        [np.concatenate([differences, -differences]), np.concatenate([votes, -votes])], axis=1
    )
    first, second = ranks - ranks.mean(axis=1, keepdims=True)
    return float(first @ second / np.sqrt((first @ first) * (second @ second)))
