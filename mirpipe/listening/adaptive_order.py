"""An order of questions that depends on earlier votes: uncertain comparisons are asked more often.

A comparison, which is a pair of subjects and a criterion, is drawn with a probability that is
proportional to the decrease of its standard error by one more vote: √(s² / n) − √(s² / (n + 1)).
Here, n is its number of votes, and s² is the variance of a vote (1, ½ or 0) in the current fit of
Davidson's model. Source: Chiang et al., Chatbot Arena (2024), arXiv:2403.04132, section 5.

The number of votes on a comparison then depends on earlier votes, so intervals and p-values are
approximate.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from mirpipe.db.store.listening_tests import AskedVotes
from mirpipe.listening.design import (
    Comparison,
    PlannedVote,
    Question,
    comparison_of,
    plan_in_order,
)
from mirpipe.records import Float64, Int64
from mirpipe.statistics.paired_choices import fit, outcome_probabilities

Key = tuple[str | None, str | None, str]
"""First subject, second subject and criterion."""

_SCORES = np.array([1.0, 0.0, 0.5])
"""Share of a vote that the first subject gets: for the first, for the second, for neither."""


def plan_adaptive_votes(
    questions: Sequence[Question],
    asked: Sequence[AskedVotes],
    number: int,
    *,
    count: int,
    repeats: int,
    seed: int,
) -> list[PlannedVote]:
    """Return what the listener with this number is asked, in order, with controls and repeats.

    The questions are chosen as `choose_questions` says.
    """
    main = [question for question in questions if question.control is None]
    controls = [question for question in questions if question.control is not None]
    votes: dict[Key, AskedVotes] = {
        (a.first_subject, a.second_subject, a.criterion): a for a in asked
    }
    return plan_in_order(
        choose_questions(main, votes, count=count, number=number, seed=seed),
        controls,
        list(dict.fromkeys(map(comparison_of, main))),
        turn=number,
        repeats=repeats,
    )


def choose_questions(
    questions: Sequence[Question],
    asked: Mapping[Key, AskedVotes],
    *,
    count: int,
    number: int,
    seed: int,
) -> list[Question]:
    """Return the questions for the listener with this number, in order.

    `questions` are all questions of the test without controls. Of them, `count` are chosen, or all
    if there are fewer. `asked` are the votes so far, by comparison. Planned votes count as if they
    had been given. So if many links are created at once, they do not all ask the same.
    """
    random = np.random.default_rng([seed, number])
    by_comparison: dict[Comparison, list[Question]] = {}
    for question in questions:
        by_comparison.setdefault(comparison_of(question), []).append(question)
    comparisons = list(by_comparison)
    # Each listener starts at random targets, so that all targets are asked.
    left = {
        c: _turned(by_comparison[c], int(random.integers(len(by_comparison[c]))))
        for c in comparisons
    }
    variance = _variances(comparisons, asked)
    votes_n = np.array([_votes_n(asked.get(c)) for c in comparisons], dtype=np.float64)
    chosen = []
    for _ in range(min(count, sum(map(len, left.values())))):
        gain = np.sqrt(variance / votes_n) - np.sqrt(variance / (votes_n + 1))
        gain[[not left[c] for c in comparisons]] = 0.0
        index = int(random.choice(len(comparisons), p=gain / gain.sum()))
        votes_n[index] += 1
        chosen.append(left[comparisons[index]].pop(0))
    return chosen


def _variances(comparisons: Sequence[Comparison], asked: Mapping[Key, AskedVotes]) -> Float64:
    """Return the variance of a vote on each comparison, in a fit for each criterion."""
    variances = np.empty(len(comparisons))
    for criterion in dict.fromkeys(comparison[2] for comparison in comparisons):
        rows = [n for n, comparison in enumerate(comparisons) if comparison[2] == criterion]
        names = sorted({str(name) for n in rows for name in comparisons[n][:2]})
        pairs: Int64 = np.array(
            [[names.index(str(name)) for name in comparisons[n][:2]] for n in rows]
        )
        counts = np.array(
            [_outcomes(asked.get(comparisons[n])) for n in rows],
            dtype=np.float64,
        )
        probabilities = outcome_probabilities(pairs, fit(pairs, counts))
        mean = probabilities @ _SCORES
        variances[rows] = probabilities @ _SCORES**2 - mean**2
    return variances


def _votes_n(found: AskedVotes | None) -> int:
    """Return the number of given and planned votes, plus 1, so that it is never 0."""
    return 1 + sum(_outcomes(found)) + (0 if found is None else found.planned_n)


def _outcomes(found: AskedVotes | None) -> tuple[int, int, int]:
    """Return the votes for the first subject, for the second one, and for neither."""
    return (0, 0, 0) if found is None else (found.first_n, found.second_n, found.neither_n)


def _turned(questions: list[Question], start: int) -> list[Question]:
    return questions[start:] + questions[:start]
