"""Why a listening test has fewer questions or controls than wanted, and what helps."""

from collections.abc import Iterator
from math import ceil

from mirpipe.db.engine import engine
from mirpipe.db.queries.listening_tests import ListeningTest
from mirpipe.db.queries.sentence_parts import counted
from mirpipe.errors import ConfigurationError
from mirpipe.listening.create_test import ListeningOptions, compared_answers
from mirpipe.listening.design import (
    CRITERIA,
    MAX_ADAPTIVE_ROUNDS,
    Answers,
    different_targets,
    shared_targets,
)
from mirpipe.listening.subject_results import MIN_LISTENERS, targets_for_verdict

_CONTROLS_AGAINST_A_HABIT = 2
"""Smallest number of controls of which one has the copy on the left, and one on the right."""


def shortages(test: ListeningTest, options: ListeningOptions) -> list[str]:
    """Return why questions and controls are missing, and what this means, as sentences.

    The list is empty if nothing is missing, or if the answers that the test compares are gone.
    """
    try:
        with engine("app").connect() as connection:
            is_latest = test.run_id == test.latest_run
            answers = compared_answers(
                connection, test.run_id, options, test.seed, is_latest=is_latest
            )
    except ConfigurationError:
        return []
    if len(answers) < 2:
        return []
    return [
        *_missing_questions(test, options, answers),
        *_missing_controls(test, options, answers),
    ]


def _missing_questions(
    test: ListeningTest, options: ListeningOptions, answers: Answers
) -> Iterator[str]:
    targets_n = len(_all_targets(answers))
    subjects_n = len(answers)
    pairs_n = subjects_n * (subjects_n - 1) // 2
    if options.kind == "rating":
        per_round, rounds = subjects_n, len(shared_targets(answers))
        reason = f"only {rounds} of {counted(targets_n, 'target')} have answers of all subjects"
    else:
        different = different_targets(answers)
        first, second = min(different, key=lambda pair: len(different[pair]))
        per_round, rounds = pairs_n * len(CRITERIA[options.kind]), len(different[first, second])
        reason = (
            f"{first} and {second} have different answers for {rounds} of "
            f"{counted(targets_n, 'target')} only"
        )
    if rounds == targets_n:
        reason = f"there are only {counted(targets_n, 'target')} with answers"
    wanted = max(1, round(options.questions / per_round))
    if options.order == "adaptive":
        wanted = min(wanted, MAX_ADAPTIVE_ROUNDS)
    needed = targets_for_verdict(pairs_n)
    verdict = f" A verdict needs at least {needed} targets." if rounds < needed else ""
    remedy = "Add targets and run again, or name other subjects with --subject."
    if rounds < wanted:
        yield (
            f"Only {test.questions_n} of {options.questions} questions could be made: {reason}."
            f"{verdict} {remedy}"
        )
    elif rounds < needed:
        compared = f"Each pair is compared on only {counted(rounds, 'target')}"
        yield f"{compared}: {reason}.{verdict} {remedy}"
    elif options.order == "balanced" and wanted * MIN_LISTENERS < needed:
        yield (
            f"Each person compares a pair on {counted(wanted, 'target')} only, so a verdict needs "
            f"at least {ceil(needed / wanted)} people, or more --questions for each."
        )


def _missing_controls(
    test: ListeningTest, options: ListeningOptions, answers: Answers
) -> Iterator[str]:
    made = test.controls_n // (2 if options.kind == "rating" else 1)
    if made < options.controls:
        yield _why_few_controls(made, options, answers)
    if made < _CONTROLS_AGAINST_A_HABIT and options.kind != "rating":
        remedy = ""
        if options.controls < _CONTROLS_AGAINST_A_HABIT:
            remedy = f" Use at least {_CONTROLS_AGAINST_A_HABIT} --controls."
        yield (
            f"With fewer than {_CONTROLS_AGAINST_A_HABIT} controls, people who always choose the "
            f"same side cannot be detected.{remedy}"
        )


def _why_few_controls(made: int, options: ListeningOptions, answers: Answers) -> str:
    targets_n = len(_all_targets(answers))
    if made < targets_n:
        others = "other target" if targets_n == made + 1 else "other targets"
        more = "references and targets" if options.controls > targets_n else "references"
        reason = f"because every reference is a match of the {others}"
        remedy = f"Use a library with more {more}."
    else:
        reason = f"one for each of the {counted(targets_n, 'target')} with answers"
        remedy = "To get more, add targets and run again."
    left_out = "" if made else " Without controls, nobody is left out of the results."
    return f"Only {made} of {options.controls} controls could be made, {reason}.{left_out} {remedy}"


def _all_targets(answers: Answers) -> set[int]:
    return set().union(*answers.values())
