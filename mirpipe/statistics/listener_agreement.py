"""Agreement between listeners: Krippendorff's alpha for ordered answers.

1 means that all listeners agree, and 0 that they agree as often as by chance. Listeners may have
answered different questions. The interval comes from resampling questions. Sources: Krippendorff,
Content Analysis (2018), chapter 12; Zapf et al., Measuring inter-rater reliability for nominal data
(2016), for the interval.
"""

from dataclasses import dataclass

import krippendorff
import numpy as np

from mirpipe.records import Int64
from mirpipe.statistics.mean_intervals import LEVEL, MIN_N, SEED

RESAMPLES = 1_000


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha. Undefined values are None."""

    questions_n: int
    """Number of questions with the answers of at least two listeners."""
    alpha: float | None
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None
    """Upper end of the 95 % interval."""
    reason: str | None
    """Code of the reason why alpha or its interval is missing: no_question, too_few_questions or
    equal_values (all answers are equal)."""


def agreement(counts: Int64, *, resamples: int = RESAMPLES, seed: int = SEED) -> Agreement:
    """Return the agreement on questions with ordered answers.

    `counts` contains how many listeners gave each answer to each question, shape (questions,
    answers). The answers are in ascending order.
    """
    shared = counts[counts.sum(axis=1) >= 2]
    if not len(shared):
        return Agreement(0, None, None, None, "no_question")
    if np.count_nonzero(shared.sum(axis=0)) < 2:
        return Agreement(len(shared), None, None, None, "equal_values")
    alpha = _alpha(shared)
    if len(shared) < MIN_N:
        return Agreement(len(shared), alpha, None, None, "too_few_questions")
    drawn = np.random.default_rng(seed).integers(0, len(shared), (resamples, len(shared)))
    resampled = [
        _alpha(shared[rows]) for rows in drawn if np.count_nonzero(shared[rows].sum(axis=0)) >= 2
    ]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.array(resampled, np.float64), [tail, 1 - tail])
    return Agreement(len(shared), alpha, float(low), float(high), None)


def _alpha(counts: Int64) -> float:
    # Answers that nobody gave do not change alpha, but the library requires a count for each.
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="ordinal"))
