"""Strengths from choices between two subjects with ties: Davidson's model.

It extends the model of Bradley and Terry by ties. With strengths p_i and a tie parameter v, subject
i is chosen over subject j with probability p_i / (p_i + p_j + v √(p_i p_j)), and the probability of
a tie is v √(p_i p_j) / (p_i + p_j + v √(p_i p_j)). Source: Davidson, On extending the Bradley–Terry
model to accommodate ties in paired comparison experiments (1970).

Votes of one listener are not independent, and listeners differ in taste and care. So the intervals
come from resampling listeners, not votes: they state how the strengths would differ with other
listeners. Source: Davison and Hinkley, Bootstrap Methods and their Application (1997), section 3.8.

choix is not used because it has no ties. The Poisson regression of statsmodels gives the same
strengths, but fits one resample at a time. A test compares both.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from mirpipe.records import Float64, Int64
from mirpipe.statistics.mean_intervals import LEVEL, MIN_N, SEED

RESAMPLES = 1_000
PRIOR = 0.1
"""Number of votes that is added for each outcome of each pair. Without it, the strength of a
subject that wins or loses all its votes would be infinite."""

_ITERATIONS = 100
_LARGEST_STEP = 1.0
_CONVERGED = 1e-9


@dataclass(frozen=True)
class Strengths:
    """The strengths of k subjects."""

    log_strength: Float64
    """Natural logarithm of the strength, shape (k,). Their sum is 0."""
    low: Float64
    """Lower ends of the 95% intervals, shape (k,). NaN with fewer than MIN_N listeners, or if all
    listeners gave the same votes."""
    high: Float64
    """Upper ends of the 95% intervals, shape (k,)."""
    log_tie: float
    """Natural logarithm of the tie parameter v."""


def strengths(
    pairs: Int64, counts: Float64, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Strengths:
    """Return the strengths of the subjects, with intervals from resampling listeners.

    `pairs` contains the indices of the first and second subject, from 0, shape (pairs, 2). `counts`
    contains the votes for the first subject, for the second one, and for neither, shape (listeners,
    pairs, 3). The bounds are the estimate ± t · SE: with few listeners, percentiles of resamples
    are too narrow.
    """
    estimate = fit(pairs, counts.sum(axis=0))
    listeners = len(counts)
    bounds = np.full((2, len(estimate) - 1), np.nan)
    if listeners >= MIN_N:
        drawn = np.random.default_rng(seed).multinomial(
            listeners, np.full(listeners, 1 / listeners), size=resamples
        )
        resampled = fit(pairs, np.tensordot(drawn.astype(np.float64), counts, axes=1))[:, :-1]
        # The variance of resamples is too small by this factor.
        error = resampled.std(axis=0, ddof=1) * np.sqrt(listeners / (listeners - 1))
        error[error < _CONVERGED] = np.nan  # Equal listeners do not show how much others differ.
        t = stats.t.ppf((1 + LEVEL) / 2, listeners - 1)
        bounds = estimate[:-1] + np.array([[-t], [t]]) * error
    return Strengths(estimate[:-1], bounds[0], bounds[1], float(estimate[-1]))


def fit(pairs: Int64, counts: Float64) -> Float64:
    """Return the logarithms of the strengths and of v, shape (..., k + 1).

    `counts` has shape (..., pairs, 3), as in `strengths`. Every subject must be in a pair, and all
    subjects must be connected by pairs.
    """
    outcomes = _outcomes(pairs)
    k = outcomes.shape[-1] - 1
    # The strengths have no scale. This term of the curvature keeps the sum of the logarithms at 0.
    scale = np.zeros((k + 1, k + 1))
    scale[:k, :k] = 1.0
    votes = counts + PRIOR
    total = votes.sum(axis=-1, keepdims=True)
    parameters = np.zeros((*counts.shape[:-2], k + 1))
    for _ in range(_ITERATIONS):
        utility = np.einsum("poi,...i->...po", outcomes, parameters)
        odds = np.exp(utility - utility.max(axis=-1, keepdims=True))
        expected = total * odds / odds.sum(axis=-1, keepdims=True)
        gradient = np.einsum("poi,...po->...i", outcomes, votes - expected)
        centred = outcomes - np.einsum("...po,poi->...pi", expected / total, outcomes)[..., None, :]
        curvature = np.einsum("...po,...poi,...poj->...ij", expected, centred, centred) + scale
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
        largest = np.abs(step).max(axis=-1, keepdims=True)
        parameters = parameters + step * np.minimum(
            1.0, _LARGEST_STEP / np.maximum(largest, 1e-300)
        )
        if largest.max() < _CONVERGED:
            break
    return parameters


def outcome_probabilities(pairs: Int64, parameters: Float64) -> Float64:
    """Return the probability of each outcome of each pair, shape (..., pairs, 3).

    `parameters` are those of `fit`. The outcomes are: for the first subject, for the second one,
    and for neither.
    """
    utility = np.einsum("poi,...i->...po", _outcomes(pairs), parameters)
    odds = np.exp(utility - utility.max(axis=-1, keepdims=True))
    probabilities: Float64 = odds / odds.sum(axis=-1, keepdims=True)
    return probabilities


def _outcomes(pairs: Int64) -> Float64:
    """Return which parameters each outcome of each pair contains, shape (pairs, 3, k + 1)."""
    rows = np.arange(len(pairs))
    outcomes = np.zeros((len(pairs), 3, int(pairs.max()) + 2))
    outcomes[rows, 0, pairs[:, 0]] = 1.0
    outcomes[rows, 1, pairs[:, 1]] = 1.0
    outcomes[rows, 2, pairs[:, 0]] = 0.5
    outcomes[rows, 2, pairs[:, 1]] = 0.5
    outcomes[:, 2, -1] = 1.0
    return outcomes
