"""Simulated listening tests: how often the order, the intervals and the verdicts are right.

Four subjects have known strengths. Each listener has their own taste, whose strengths differ from
the known ones, and answers one question in ten at random. Each listener gets 24 questions: four on
each pair in the balanced order. In the adaptive order, links are created for five listeners at a
time. For the verdicts, the strengths are equal for unlimited listeners, so each preference that is
established is false beyond the listeners of the test.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mirpipe.db.queries.listening_votes import Vote
from mirpipe.db.store.listening_tests import AskedVotes
from mirpipe.listening.adaptive_order import choose_questions
from mirpipe.listening.design import Order, Question, comparison_of
from mirpipe.listening.subject_results import subject_comparisons
from mirpipe.records import Float64, Int64
from mirpipe.statistics.paired_choices import fit, strengths

ORDERS: tuple[Order, ...] = ("balanced", "adaptive")
LISTENERS = (5, 10, 20, 60)
EQUAL_LISTENERS = (5, 20)
"""Numbers of listeners in data sets in which all subjects are equal."""
DATA_SETS = 200
QUESTIONS = 24
TRUE = np.array([0.9, 0.3, -0.2, -1.0])
TASTE_SD = 0.5
CARELESS = 0.1
"""Share of the questions that are answered at random."""
LOG_TIE = -0.7
LINKS_AT_ONCE = 5
TARGETS = 30
"""Number of targets on which each pair is compared."""

_NAMES = "abcd"
_PAIRS: Int64 = np.array(list(combinations(range(len(TRUE)), 2)))
_POOL = [
    Question(0, n, "similarity", None, n, 0, 1, _NAMES[i], _NAMES[j])
    for n, (i, j) in enumerate(np.tile(_PAIRS, (40, 1)).tolist())
]


@dataclass(frozen=True)
class ListeningRates:
    """How often simulated listening tests were right, 0 to 1."""

    order: Order
    listeners: int
    contained: float
    """Share of the 95% intervals that contain the strength that unlimited listeners would give."""
    best_found: float
    """Share of data sets in which the strongest subject is found."""
    pairs_found: float
    """Share of pairs of subjects in the right order."""


def simulate(order: Order, listeners: int) -> ListeningRates:
    """Return the rates over DATA_SETS simulated listening tests."""
    truth = _strengths_of_many_listeners()
    contained, best, pairs = [], [], []
    for seed in range(DATA_SETS):
        counts = _votes(order, listeners, np.random.default_rng([listeners, seed]), seed)
        found = strengths(_PAIRS, counts, resamples=300)
        contained.append((found.low <= truth) & (truth <= found.high))
        best.append(found.log_strength.argmax() == 0)
        differences = found.log_strength[_PAIRS[:, 0]] - found.log_strength[_PAIRS[:, 1]]
        pairs.append(differences > 0)
    rates = (float(np.mean(each)) for each in (contained, best, pairs))
    return ListeningRates(order, listeners, *rates)


def false_preferences(listeners: int, taste_sd: float) -> float:
    """Return the share of data sets with an established preference, although there is none.

    All subjects are equal for unlimited listeners, but not for one listener.
    """
    found = []
    for seed in range(DATA_SETS):
        votes = _votes_on_targets(listeners, taste_sd, np.random.default_rng([listeners, seed]))
        found.append(any(each.established for each in subject_comparisons(votes)))
    return float(np.mean(found))


def _votes_on_targets(listeners: int, taste_sd: float, random: np.random.Generator) -> list[Vote]:
    """Return the votes of a test in the balanced order between subjects of equal strength."""
    per_pair = QUESTIONS // len(_PAIRS)
    votes = []
    for listener in range(listeners):
        taste = random.normal(0, taste_sd, len(TRUE))
        for pair, (i, j) in enumerate(_PAIRS.tolist()):
            answers = random.choice([1, -1, 0], size=per_pair, p=_chances(taste, i, j))
            for number, answer in enumerate(answers.tolist()):
                target = (listener * per_pair + number) % TARGETS
                ids = pair * TARGETS + target, target, 2 * target, 2 * target + 1
                votes.append(
                    Vote(
                        listener,
                        ids[0],
                        "similarity",
                        None,
                        *ids[1:],
                        _NAMES[i],
                        _NAMES[j],
                        is_swapped=False,
                        is_repeat=False,
                        answer=answer,
                    )
                )
    return votes


def _chances(taste: Float64, i: int, j: int) -> Float64:
    """Return the probabilities of a vote for subject i, for subject j and for neither."""
    weights = np.exp([taste[i], taste[j], LOG_TIE + (taste[i] + taste[j]) / 2])
    chances: Float64 = (1 - CARELESS) * weights / weights.sum() + CARELESS / 3
    return chances


def _strengths_of_many_listeners() -> Float64:
    counts = _votes("balanced", 20_000, np.random.default_rng(0), 0)
    return fit(_PAIRS, counts.sum(axis=0))[:-1]


def _votes(order: Order, listeners: int, random: np.random.Generator, seed: int) -> Float64:
    """Return the votes of each listener on each pair, shape (listeners, pairs, 3)."""
    counts = np.zeros((listeners, len(_PAIRS), 3))
    asked = np.full(len(_PAIRS), QUESTIONS // len(_PAIRS))
    planned: list[Int64] = []
    for listener in range(listeners):
        if order == "adaptive":
            if listener % LINKS_AT_ONCE == 0:
                planned = _adaptive_questions(counts.sum(axis=0), listener, seed)
            asked = planned[listener % LINKS_AT_ONCE]
        taste = TRUE + random.normal(0, TASTE_SD, len(TRUE))
        for pair, (i, j) in enumerate(_PAIRS):
            counts[listener, pair] = random.multinomial(asked[pair], _chances(taste, i, j))
    return counts


def _adaptive_questions(totals: Float64, first: int, seed: int) -> list[Int64]:
    """Return the number of questions on each pair, for each of the next LINKS_AT_ONCE listeners."""
    found: list[Int64] = []
    keys = [comparison_of(question) for question in _POOL[: len(_PAIRS)]]
    for number in range(first, first + LINKS_AT_ONCE):
        planned = np.sum(found, axis=0, dtype=np.int64) + np.zeros(len(_PAIRS), np.int64)
        asked = {
            key: AskedVotes(str(key[0]), key[1], key[2], *map(int, totals[n]), int(planned[n]))
            for n, key in enumerate(keys)
        }
        chosen = choose_questions(_POOL, asked, count=QUESTIONS, number=number, seed=seed)
        asked_n = [sum(comparison_of(q) == key for q in chosen) for key in keys]
        found.append(np.array(asked_n))
    return found
