"""Agreement between listeners: Krippendorff's alpha for ordered answers.

1 means that all listeners agree, and 0 that they agree as often as by chance. Listeners may have
answered different questions. The interval comes from resampling questions. Sources: Krippendorff,
Content Analysis (2018), chapter 12; Zapf et al., Measuring inter-rater reliability for nominal data
(2016), for the interval. Own code, because the licence of the package `krippendorff` (GPL) would
bind everyone who distributes mirpipe.

In a choice between two subjects, it is arbitrary which one is the first. So each question counts
together with its mirror image, in which the two have changed places. Then, the first one is chosen
as often as the second one by chance, and alpha does not depend on the names of the subjects.
"""

from dataclasses import dataclass

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
    """Lower end of the 95% interval."""
    high: float | None
    """Upper end of the 95% interval."""
    reason: str | None
    """Code of the reason why alpha or its interval is missing: no_question, too_few_questions or
    equal_values (all answers are equal)."""


def agreement(
    counts: Int64, *, are_choices: bool = False, resamples: int = RESAMPLES, seed: int = SEED
) -> Agreement:
    """Return the agreement on questions with ordered answers.

    `counts` contains how many listeners gave each answer to each question, shape (questions,
    answers). The answers are in ascending order. For choices, these are all answers: the second
    subject, neither, and the first subject.
    """
    shared = counts[counts.sum(axis=1) >= 2]
    if not len(shared):
        return Agreement(0, None, None, None, "no_question")
    # Each question with its mirror image, so that both are always drawn together.
    drawable = np.stack([shared, shared[:, ::-1]] if are_choices else [shared], axis=1)
    alpha = _alpha(drawable)
    if alpha is None:
        return Agreement(len(shared), None, None, None, "equal_values")
    if len(shared) < MIN_N:
        return Agreement(len(shared), alpha, None, None, "too_few_questions")
    drawn = np.random.default_rng(seed).integers(0, len(shared), (resamples, len(shared)))
    resampled = [found for rows in drawn if (found := _alpha(drawable[rows])) is not None]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.array(resampled, np.float64), [tail, 1 - tail])
    return Agreement(len(shared), alpha, float(low), float(high), None)


def _alpha(drawn: Int64) -> float | None:
    """Return Krippendorff's alpha, or None if all answers are equal.

    `drawn` has the shape (questions, 1 or 2, answers): the counts of each question, and of its
    mirror image. The distance between two answers is the number of votes from the one to the other,
    each of the two counted half.
    """
    counts = drawn.reshape(-1, drawn.shape[-1])
    of_question, of_answer = counts.sum(axis=1), counts.sum(axis=0)
    if np.count_nonzero(of_answer) < 2:
        return None
    votes = of_answer.sum()
    up_to = np.cumsum(of_answer) - of_answer / 2
    distance = np.square(up_to[:, None] - up_to)
    shares = counts / (of_question - 1)[:, None]
    # Pairs of votes on the same question. The distance of an answer to itself is 0.
    observed = (shares.T @ counts * distance).sum()
    expected = (np.outer(of_answer, of_answer) * distance).sum() / (votes - 1)
    return float(1 - observed / expected)
