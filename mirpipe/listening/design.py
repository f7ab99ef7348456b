"""The design of a listening test: which questions there are, and who gets them in which order.

The questions are divided into sheets, and a sheet into rounds. Each round compares each pair of
subjects once (or rates each subject once, on one target). So each pair is compared equally often,
also by listeners who stop early. Listeners who get the same sheet start at different rounds, and
every second one sees the sides swapped. All of this follows from the seed and the number of the
listener, and not from any vote, so the votes can be analysed without knowing why somebody stopped.
Source: Cochran and Cox, Experimental Designs (1957), chapter 4 (Latin squares) and chapter 11.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, product
from math import ceil
from typing import Literal

import numpy as np

from mirpipe.errors import ConfigurationError

Kind = Literal["answers", "clips", "rating"]
Criterion = Literal["similarity", "quality"]
Control = Literal["copy", "random"]
Order = Literal["balanced", "adaptive"]

CRITERIA: dict[Kind, tuple[Criterion, ...]] = {
    "answers": ("similarity",),
    "clips": ("similarity", "quality"),
    "rating": ("similarity",),
}
MAX_SHEETS = 50
"""Largest number of sheets. More listeners than sheets answer the same questions."""
MAX_ADAPTIVE_ROUNDS = 100
"""Largest number of rounds from which an adaptive order chooses."""

Answers = Mapping[str, Mapping[int, int]]
"""Track id of the match or clip of each subject for each target: by subject, then by target id."""


@dataclass(frozen=True)
class Question:
    """A target with two tracks to compare, or with one track to rate. All ids are track ids."""

    sheet: int
    number: int
    """Position in the sheet."""
    criterion: Criterion
    control: Control | None
    target_id: int
    first_id: int
    second_id: int | None
    """None if one track is rated."""
    first_subject: str | None
    """None for a control."""
    second_subject: str | None
    """None for a control, and if one track is rated."""


Comparison = tuple[str | None, str | None, Criterion]
"""What a question compares: first subject, second subject and criterion."""


@dataclass(frozen=True)
class PlannedVote:
    """A question at one position for one listener."""

    position: int
    question: int
    """Number of the question in the listener's sheet."""
    is_swapped: bool
    """Whether the first track is on the right."""


def draw_questions(
    kind: Kind,
    answers: Answers,
    *,
    questions: int,
    random_references: Sequence[tuple[int, int]],
    seed: int,
    order: Order = "balanced",
) -> list[Question]:
    """Return the questions of all sheets, sorted by sheet and number.

    A sheet has about as many questions as `questions` says, without controls: complete rounds, at
    least one. If rounds are left over, a last sheet has them, and is filled up with the first ones,
    so that all targets are asked. For an adaptive order, there is one sheet with all rounds, from
    which questions are chosen for each listener. `random_references` are the controls of each
    sheet, as (target, reference). Raises ConfigurationError if there are not two subjects with
    different answers.
    """
    if len(answers) < 2:
        raise ConfigurationError(
            "A listening test compares at least two encoders or modes, but of the run's answers, "
            f"{f'only those of {next(iter(answers))}' if answers else 'none'} can be played. "
            "Configure more encoders, or run `mirpipe generate` for clips. If recordings are "
            "missing, run `mirpipe ingest` on them. Then run `mirpipe run`."
        )
    random = np.random.default_rng(seed)
    rounds = _ratings(answers, random) if kind == "rating" else _pairs(kind, answers, random)
    per_sheet = max(1, min(len(rounds), round(questions / len(rounds[0]))))
    if order == "adaptive":
        rounds = rounds[:MAX_ADAPTIVE_ROUNDS]
        per_sheet = len(rounds)
    found = []
    for sheet in range(min(MAX_SHEETS, ceil(len(rounds) / per_sheet))):
        drawn = [*rounds, *rounds[:per_sheet]][sheet * per_sheet : (sheet + 1) * per_sheet]
        whole = [*chain.from_iterable(drawn), *_controls(kind, random_references)]
        found += [replace(q, sheet=sheet, number=number) for number, q in enumerate(whole)]
    return found


def plan_votes(questions: Sequence[Question], number: int, *, repeats: int) -> list[PlannedVote]:
    """Return what the listener with this number is asked, in order.

    `questions` are all questions of the test. The first `repeats` questions come again at the end,
    with the sides swapped. Controls are spread evenly.
    """
    sheets = max(question.sheet for question in questions) + 1
    sheet, turn = number % sheets, number // sheets
    main = [q for q in questions if q.sheet == sheet and q.control is None]
    controls = [q for q in questions if q.sheet == sheet and q.control is not None]
    comparisons = list(dict.fromkeys(map(comparison_of, main)))
    start = turn * len(comparisons) % len(main)
    return plan_in_order(
        main[start:] + main[:start], controls, comparisons, turn=turn, repeats=repeats
    )


def plan_in_order(
    main: Sequence[Question],
    controls: Sequence[Question],
    comparisons: Sequence[Comparison],
    *,
    turn: int,
    repeats: int,
) -> list[PlannedVote]:
    """Return what a listener is asked, if the questions `main` are asked in this order.

    Controls are spread evenly, and start at another one for each turn. The sides of each of the
    `comparisons` of the sheet alternate from round to round, and from turn to turn. The sides of
    the controls alternate from one control to the next, so nobody passes all controls by a habit of
    one side. The first `repeats` questions come again at the end, with the sides swapped.
    """
    order, turned = list(main), _turned(list(controls), turn)
    for index, control in enumerate(turned):
        order.insert(round((index + 0.5) * len(main) / len(controls)) + index, control)
    planned = []
    for position, question in enumerate([*order, *main[:repeats]]):
        if question.control is None:
            round_number = question.number // len(comparisons)
            place, is_repeat = comparisons.index(comparison_of(question)), position >= len(order)
            side = round_number + place + turn + is_repeat
        else:  # All sheets have the same controls, and each turn starts at another one.
            side = turned.index(question) + question.sheet + turn // len(turned)
        is_swapped = question.second_id is not None and side % 2 == 1
        planned.append(PlannedVote(position, question.number, is_swapped))
    return planned


def different_targets(answers: Answers) -> dict[tuple[str, str], list[int]]:
    """Return the targets for which two subjects have different answers, for each pair, sorted."""
    different = {}
    for first, second in combinations(sorted(answers), 2):
        shared = sorted(answers[first].keys() & answers[second].keys())
        different[first, second] = [t for t in shared if answers[first][t] != answers[second][t]]
    return different


def shared_targets(answers: Answers) -> list[int]:
    """Return the targets for which all subjects have an answer, sorted."""
    return sorted(set.intersection(*(set(of_subject) for of_subject in answers.values())))


def _pairs(kind: Kind, answers: Answers, random: np.random.Generator) -> list[list[Question]]:
    """Return rounds that each compare each pair of subjects once per criterion."""
    targets = {}
    for (first, second), different in different_targets(answers).items():
        if not different:
            raise ConfigurationError(
                f"{first} and {second} have no target with different answers, so they cannot be "
                "compared. Name other subjects with --subject."
            )
        targets[first, second] = random.permutation(different).tolist()
    rounds = []
    for number in range(min(map(len, targets.values()))):
        made = [
            _question(
                criterion,
                targets[pair][number],
                *(answers[subject][targets[pair][number]] for subject in pair),
                subjects=pair,
            )
            for pair, criterion in product(targets, CRITERIA[kind])
        ]
        rounds.append([made[index] for index in random.permutation(len(made))])
    return rounds


def _ratings(answers: Answers, random: np.random.Generator) -> list[list[Question]]:
    """Return rounds that each rate each subject on one target."""
    targets = shared_targets(answers)
    if not targets:
        raise ConfigurationError(
            f"No target has an answer of each of {', '.join(answers)}. Name other subjects with "
            "--subject."
        )
    rounds = []
    for target in random.permutation(targets).tolist():
        made = [
            _question("similarity", target, answers[subject][target], subjects=(subject, None))
            for subject in sorted(answers)
        ]
        rounds.append([made[index] for index in random.permutation(len(made))])
    return rounds


def _controls(kind: Kind, random_references: Sequence[tuple[int, int]]) -> list[Question]:
    """Return the controls of a sheet. To rate, the copy and the random track are two questions."""
    controls = []
    for target, reference in random_references:
        if kind == "rating":
            controls.append(_question("similarity", target, target, control="copy"))
            controls.append(_question("similarity", target, reference, control="random"))
        else:
            controls.append(_question("similarity", target, target, reference, control="copy"))
    return controls


def _question(
    criterion: Criterion,
    target_id: int,
    first_id: int,
    second_id: int | None = None,
    *,
    subjects: tuple[str | None, str | None] = (None, None),
    control: Control | None = None,
) -> Question:
    """Return a question that is not on a sheet yet."""
    return Question(0, 0, criterion, control, target_id, first_id, second_id, *subjects)


def comparison_of(question: Question) -> Comparison:
    """Return what a question compares. Each round contains each comparison once."""
    return question.first_subject, question.second_subject, question.criterion


def _turned(controls: list[Question], turn: int) -> list[Question]:
    start = turn % max(1, len(controls))
    return controls[start:] + controls[:start]
