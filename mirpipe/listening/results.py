"""The results of a listening test: subjects, agreement, and how well metrics predict the votes.

Votes count only from listeners who passed enough controls. Ratings of one listener on one target
are compared with each other, so they become choices between two subjects, and a listener who rates
high or low as a whole changes nothing. From there on, both are analysed in the same way.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from mirpipe.db.queries.listening_tests import ListeningTest
from mirpipe.db.queries.listening_votes import (
    Vote,
    listening_votes,
    metrics_of_pairs,
    random_subjects,
)
from mirpipe.db.queries.metric_names import NOT_SCORES
from mirpipe.listening.controls import CountedVotes, count_votes
from mirpipe.listening.design import CRITERIA, Criterion, Kind
from mirpipe.listening.subject_results import (
    SubjectComparison,
    SubjectResult,
    outcome_of,
    subject_comparisons,
    subject_results,
)
from mirpipe.statistics.listener_agreement import Agreement, agreement
from mirpipe.statistics.vote_prediction import VotePrediction, predict_votes

MIN_LISTENERS_OF_TARGETS = 5
"""Smallest number of listeners who count for which the votes on each target are in the results."""

_CHOICES = (-1, 0, 1)
"""Answers to a question about two tracks, in the order that `agreement` needs."""


@dataclass(frozen=True)
class MetricResult:
    """How well one metric predicts the votes."""

    metric: str
    prediction: VotePrediction
    is_random: bool
    """Whether the metric or encoder has random weights, so that it gets no verdict."""


@dataclass(frozen=True)
class TargetVotes:
    """The votes that count on two subjects at one target, of all listeners together."""

    target_id: int
    first: str
    """Subject: encoder or mode."""
    first_id: int
    """Track id of the match or clip of the first subject."""
    second: str
    second_id: int
    first_n: int
    """Number of votes for the first subject."""
    second_n: int
    neither_n: int


@dataclass(frozen=True)
class CriterionResult:
    """The votes on one criterion: similarity to the target, or quality."""

    criterion: Criterion
    votes_n: int
    """Number of votes that count, without controls and repeats."""
    subjects: list[SubjectResult]
    comparisons: list[SubjectComparison]
    agreement: Agreement
    metrics: list[MetricResult]
    """Metrics, the most accurate first."""
    targets: list[TargetVotes]
    """Votes by target and pair of subjects. Empty if too few listeners count."""


@dataclass(frozen=True)
class ListeningResults:
    """The results of a listening test."""

    name: str
    kind: str
    run_id: int
    order: str
    """How the questions are ordered: balanced, and independent of the votes, or adaptive."""
    listeners_n: int
    """Number of listeners with a vote."""
    left_out_n: int
    """Number of listeners whose votes do not count, because they failed too many controls."""
    min_controls: float
    """Share of the controls that a listener must pass."""
    controls_n: int
    """Number of answers to controls by all listeners."""
    controls_passed_n: int
    repeats_n: int
    """Number of repeats by listeners who count."""
    repeats_equal_n: int
    """Number of these with the same answer as the first time."""
    left_share: float | None
    """Share of the votes for the left track, 0 to 1. 0.5 is expected without a bias to a side."""
    criteria: list[CriterionResult]


def listening_results(test: ListeningTest) -> ListeningResults:
    """Return the results of a listening test."""
    votes = count_votes(listening_votes(test.listening_test_id), test.min_controls)
    random = random_subjects(test.listening_test_id)
    kind: Kind = test.kind  # type: ignore[assignment]  # A constraint of the table.
    return ListeningResults(
        name=test.name,
        kind=test.kind,
        run_id=test.run_id,
        order=test.order,
        listeners_n=votes.listeners_n,
        left_out_n=votes.left_out_n,
        min_controls=test.min_controls,
        controls_n=votes.controls_n,
        controls_passed_n=votes.controls_passed_n,
        repeats_n=votes.repeats_n,
        repeats_equal_n=votes.repeats_equal_n,
        left_share=votes.left_share,
        criteria=[_criterion(criterion, votes, random) for criterion in CRITERIA[kind]],
    )


def _criterion(criterion: Criterion, votes: CountedVotes, random: Set[str]) -> CriterionResult:
    asked = [vote for vote in votes.first_answers if vote.criterion == criterion]
    counted_n = votes.listeners_n - votes.left_out_n
    choices = list(_choices(asked))
    return CriterionResult(
        criterion=criterion,
        votes_n=len(asked),
        subjects=subject_results(asked, choices, random),
        comparisons=subject_comparisons(choices, random),
        agreement=agreement_of(asked),
        metrics=_metrics(choices),
        targets=_targets(choices) if counted_n >= MIN_LISTENERS_OF_TARGETS else [],
    )


def _choices(votes: Sequence[Vote]) -> Iterable[Vote]:
    """Yield the choices between two subjects, and the comparisons of two ratings as choices."""
    ratings = defaultdict(list)
    for vote in votes:
        if vote.second_id is None:
            ratings[vote.listener, vote.target_id].append(vote)
        else:
            yield vote
    for of_target in ratings.values():
        ordered = sorted(of_target, key=lambda vote: str(vote.first_subject))
        for one, other in combinations(ordered, 2):
            yield replace(
                one,
                second_id=other.first_id,
                second_subject=other.first_subject,
                answer=int(np.sign(one.answer - other.answer)),
            )


def agreement_of(votes: Sequence[Vote]) -> Agreement:
    """Return how well the listeners agree, on questions that are all choices or all ratings."""
    are_choices = any(vote.second_id is not None for vote in votes)
    values = list(_CHOICES) if are_choices else sorted({vote.answer for vote in votes})
    by_question = sorted(votes, key=lambda vote: vote.question_id)
    row = {key: number for number, key in enumerate(dict.fromkeys(map(_asked, by_question)))}
    counts = np.zeros((len(row), len(values)), np.int64)
    for vote in votes:
        counts[row[_asked(vote)], values.index(vote.answer)] += 1
    return agreement(counts, are_choices=are_choices)


def _asked(vote: Vote) -> tuple[object, ...]:
    """Return what was asked. It is the same for a question that is on two sheets."""
    tracks = vote.target_id, vote.first_id, vote.second_id
    return *tracks, vote.first_subject, vote.second_subject


def _targets(choices: Sequence[Vote]) -> list[TargetVotes]:
    counts: dict[tuple[int, str, int, str, int], Counter[int]] = defaultdict(Counter)
    for vote in choices:
        first = str(vote.first_subject), vote.first_id
        second = str(vote.second_subject), int(vote.second_id or 0)
        counts[vote.target_id, *first, *second][outcome_of(vote)] += 1
    return [
        TargetVotes(*key, *(number[outcome] for outcome in range(3)))
        for key, number in sorted(counts.items())
    ]


def _metrics(choices: Sequence[Vote]) -> list[MetricResult]:
    """Return how well each metric predicts the choices, the most accurate first."""
    counts: dict[tuple[int, int, int], Counter[int]] = defaultdict(Counter)
    for vote in choices:
        if vote.first_id == vote.second_id:
            continue  # Two subjects have the same answer, and a listener rated it twice.
        counts[vote.target_id, vote.first_id, int(vote.second_id or 0)][outcome_of(vote)] += 1
    pairs = [(t, track) for t, first, second in counts for track in (first, second)]
    found = []
    for metric in metrics_of_pairs(pairs):
        values = metric.values
        asked = [q for q in sorted(counts) if {q[:2], (q[0], q[2])} <= values.keys()]
        if metric.name in NOT_SCORES or not asked:
            continue
        prediction = predict_votes(
            np.array([target for target, _, _ in asked]),
            np.array([values[t, first] - values[t, second] for t, first, second in asked]),
            np.array([[counts[q][outcome] for outcome in range(3)] for q in asked]),
        )
        found.append(MetricResult(metric.name, prediction, metric.is_random))
    return sorted(found, key=lambda result: (-(result.prediction.accuracy or 0.0), result.metric))
