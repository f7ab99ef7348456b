"""The results of the encoders or modes in a listening test: strengths, and paired comparisons."""

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from mirpipe.db.queries.listening_votes import Vote
from mirpipe.statistics.comparison_family import PairedMetric, correct
from mirpipe.statistics.declared_contrasts import can_be_established
from mirpipe.statistics.mean_intervals import MIN_N, intervals
from mirpipe.statistics.paired_choices import strengths
from mirpipe.statistics.paired_sign_flip_test import compare

SIGNIFICANCE = 0.05
MIN_LISTENERS = 5
"""Smallest number of listeners who must have compared two subjects for a verdict on them."""


@dataclass(frozen=True)
class SubjectResult:
    """How often listeners preferred one encoder or mode. Undefined values are None."""

    subject: str
    wins_n: int
    losses_n: int
    ties_n: int
    log_strength: float | None
    """Logarithm of the strength in Davidson's model. The mean over the subjects is 0."""
    low: float | None
    """Lower end of the 95% interval over listeners."""
    high: float | None
    reason: str | None
    """Code of the reason why there is no strength or interval: too_few_listeners, not_connected."""
    mean_rating: float | None
    """Mean rating, 1 to 5: a mean over targets. None if nothing was rated."""
    rating_low: float | None
    rating_high: float | None
    """Ends of the 95% interval of the mean rating over targets."""
    is_random: bool
    """Whether the answers were made with random weights."""


@dataclass(frozen=True)
class SubjectComparison:
    """Two subjects on the targets on which they were compared.

    The verdict is about the listeners of the test: it is tested over targets, and other listeners
    can have another taste.
    """

    first: str
    second: str
    n: int
    """Number of targets."""
    preferred_n: int
    """Number of these on which the votes prefer one of the two. The test uses these alone."""
    win_rate: float
    """Share of votes for the first subject, with half of the votes for neither: a mean over
    targets."""
    low: float | None
    high: float | None
    """Ends of its 95% interval over targets."""
    p_adjusted: float | None
    """p-value of the sign-flip test, corrected for the number of comparisons."""
    reason: str | None
    """Code of the reason why there is no corrected p-value: too_few_listeners, too_few_targets or
    random_weights."""
    established: bool
    """Whether the corrected p-value is below 0.05."""


def subject_results(
    votes: Sequence[Vote], choices: Sequence[Vote], random: Set[str] = frozenset()
) -> list[SubjectResult]:
    """Return the result of each subject, the strongest first.

    `random` names the subjects with random weights.
    """
    names = sorted({str(name) for v in choices for name in (v.first_subject, v.second_subject)})
    if not names:
        return []
    index = {name: number for number, name in enumerate(names)}
    pairs = sorted({_pair(vote, index) for vote in choices})
    column = {pair: number for number, pair in enumerate(pairs)}
    row = {who: number for number, who in enumerate(sorted({v.listener for v in choices}))}
    counts = np.zeros((len(row), len(pairs), 3))
    for vote in choices:
        counts[row[vote.listener], column[_pair(vote, index)], outcome_of(vote)] += 1
    total = counts.sum(axis=0)
    is_connected = _is_connected(pairs, len(names))
    found = strengths(np.array(pairs), counts) if is_connected else None
    reason = None if is_connected else "not_connected"
    if is_connected and len(row) < MIN_N:
        reason = "too_few_listeners"
    results = []
    for name, number in index.items():
        as_first = [n for n, pair in enumerate(pairs) if pair[0] == number]
        as_second = [n for n, pair in enumerate(pairs) if pair[1] == number]
        won, lost = (
            total[as_first, side].sum() + total[as_second, 1 - side].sum() for side in (0, 1)
        )
        results.append(
            SubjectResult(
                name,
                int(won),
                int(lost),
                int(total[as_first + as_second, 2].sum()),
                None if found is None else float(found.log_strength[number]),
                None if found is None else _none_if_nan(found.low[number]),
                None if found is None else _none_if_nan(found.high[number]),
                reason,
                *_mean_rating([v for v in votes if v.second_id is None], name),
                is_random=name in random,
            )
        )
    return sorted(results, key=lambda r: (-(r.log_strength or 0.0), r.subject))


def subject_comparisons(
    choices: Sequence[Vote], random: Set[str] = frozenset()
) -> list[SubjectComparison]:
    """Return the comparison of each pair of subjects. `random` are those with random weights.

    All pairs were fixed before the first vote, so they are declared contrasts of one question.
    """
    answers: dict[tuple[str, str], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    listeners: dict[tuple[str, str], set[int]] = defaultdict(set)
    for vote in choices:
        pair = str(vote.first_subject), str(vote.second_subject)
        answers[pair][vote.target_id].append(vote.answer)
        listeners[pair].add(vote.listener)
    pairs = sorted(answers)
    means = [{t: float(np.mean(v)) for t, v in sorted(answers[pair].items())} for pair in pairs]
    tests = compare([np.array(list(m.values())) for m in means], ranges=[(-1.0, 1.0)] * len(pairs))
    metrics = [
        PairedMetric(pair, "votes", m, True, is_random=not random.isdisjoint(pair))
        for pair, m in zip(pairs, means, strict=True)
    ]
    found = [
        SubjectComparison(
            *pair,
            n=test.n,
            preferred_n=test.n - test.equal_n,
            win_rate=(1 + test.mean) / 2,
            low=_none_if_nan((1 + test.low) / 2),
            high=_none_if_nan((1 + test.high) / 2),
            p_adjusted=verdict.p_adjusted,
            reason=verdict.reason,
            established=verdict.p_adjusted is not None and verdict.p_adjusted < SIGNIFICANCE,
        )
        for pair, test, verdict in zip(pairs, tests, correct(metrics, "votes"), strict=True)
    ]
    return [
        _without_verdict(each, "too_few_listeners")
        if len(listeners[each.first, each.second]) < MIN_LISTENERS
        and each.reason != "random_weights"
        else each
        for each in found
    ]


def targets_for_verdict(pairs_n: int) -> int:
    """Return the smallest number of targets for which one of so many pairs can have a verdict."""
    return next(n for n in count(1) if can_be_established(np.ones((n, 1)), pairs_n)[0])


def _without_verdict(comparison: SubjectComparison, reason: str) -> SubjectComparison:
    return replace(comparison, p_adjusted=None, reason=reason, established=False)


def _pair(vote: Vote, index: dict[str, int]) -> tuple[int, int]:
    return index[str(vote.first_subject)], index[str(vote.second_subject)]


def outcome_of(vote: Vote) -> int:
    """Return the column of a vote: 0 for the first track, 1 for the second one, 2 for neither."""
    return {1: 0, -1: 1, 0: 2}[vote.answer]


def _is_connected(pairs: Sequence[tuple[int, int]], n: int) -> bool:
    """Return whether the pairs connect all n subjects, so that their strengths are comparable."""
    reached = {0}
    for _ in range(n):
        reached |= {j for pair in pairs if reached & set(pair) for j in pair}
    return len(reached) == n


def _mean_rating(
    ratings: Sequence[Vote], subject: str
) -> tuple[float | None, float | None, float | None]:
    by_target = defaultdict(list)
    for vote in ratings:
        if vote.first_subject == subject:
            by_target[vote.target_id].append(vote.answer)
    if not by_target:
        return None, None, None
    means = np.array([np.mean(by_target[target]) for target in sorted(by_target)])
    [(low, high)] = intervals([means], ranges=[(1.0, 5.0)])
    return float(means.mean()), _none_if_nan(low), _none_if_nan(high)


def _none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
