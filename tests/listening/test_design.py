"""The design of listening tests: balanced pairs, positions and sides, for any number of votes."""

from collections import Counter
from itertools import combinations, groupby, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.errors import ConfigurationError
from mirpipe.listening.adaptive_order import plan_adaptive_votes
from mirpipe.listening.design import (
    Kind,
    Order,
    PlannedVote,
    Question,
    draw_questions,
    plan_votes,
)

SUBJECTS = ["clap", "musicnn", "signal", "mert"]


def answers(subjects: list[str], targets: int, *, same: int = 0) -> dict[str, dict[int, int]]:
    """Return different answers of all subjects, but equal answers for the first `same` targets."""
    return {
        subject: {t: 1000 * t + (0 if t < same else 1 + n) for t in range(targets)}
        for n, subject in enumerate(subjects)
    }


def draw(kind: Kind = "answers", *, subjects: int = 3, targets: int = 12, **options: int) -> list:
    chosen = {"questions": 9, "seed": 1, "same": 0} | options
    return draw_questions(
        kind,
        answers(SUBJECTS[:subjects], targets, same=chosen["same"]),
        questions=chosen["questions"],
        random_references=[(0, 9001), (1, 9002)],
        seed=chosen["seed"],
    )


def pair(question: Question) -> tuple:
    return question.first_subject, question.second_subject, question.criterion


@given(
    kind=st.sampled_from(["answers", "clips", "rating"]),
    subjects=st.integers(2, 4),
    targets=st.integers(1, 30),
    questions=st.integers(1, 40),
    seed=st.integers(0, 2**31),
)
def test_each_sheet_compares_each_pair_equally_often(
    kind: Kind, subjects: int, targets: int, questions: int, seed: int
) -> None:
    drawn = draw(kind, subjects=subjects, targets=targets, questions=questions, seed=seed)
    counts = []
    for _, sheet in groupby(drawn, key=lambda question: question.sheet):
        main = [question for question in sheet if question.control is None]
        counts.append(Counter(map(pair, main)))
    expected = {"answers": 1, "clips": 2}
    pairs = subjects if kind == "rating" else expected[kind] * subjects * (subjects - 1) // 2
    assert all(len(count) == pairs for count in counts)
    assert len({n for count in counts for n in count.values()}) == 1
    asked = Counter((*pair(q), q.target_id) for q in drawn if q.control is None)
    sheets, per_sheet = drawn[-1].sheet + 1, min(counts[0].values())
    left_over = max(0, sheets * per_sheet - targets)
    assert left_over < per_sheet
    assert Counter(asked.values())[2] == left_over * pairs  # The last sheet is filled up.
    assert len(asked) == min(targets, 50 * per_sheet) * pairs
    assert max(asked.values()) <= 2


@pytest.mark.parametrize("kind", ["answers", "clips", "rating"])
@pytest.mark.parametrize("targets", [7, 9, 10])
def test_all_targets_are_asked_if_they_do_not_fill_the_last_sheet(kind: Kind, targets: int) -> None:
    drawn = draw(kind, targets=targets, questions=24)
    for asked in {pair(question) for question in drawn if question.control is None}:
        assert {q.target_id for q in drawn if pair(q) == asked} == set(range(targets))
    for _, sheet in groupby(drawn, key=lambda question: question.sheet):
        main = [(*pair(q), q.target_id) for q in sheet if q.control is None]
        assert len(set(main)) == len(main)  # Nobody is asked the same question twice.


@given(stop=st.integers(0, 18), number=st.integers(0, 40))
def test_listeners_who_stop_have_compared_all_pairs_almost_equally_often(
    stop: int, number: int
) -> None:
    drawn = draw(questions=18, targets=18)
    sheet = {q.number: q for q in drawn if q.sheet == number % 3}
    plan = [sheet[vote.question] for vote in plan_votes(drawn, number, repeats=0)]
    counts = Counter(pair(q) for q in [q for q in plan if q.control is None][:stop])
    numbers = [counts[a, b, "similarity"] for a, b in combinations(sorted(SUBJECTS[:3]), 2)]
    assert max(numbers) - min(numbers) <= 1


def test_two_listeners_of_a_sheet_see_each_question_on_both_sides() -> None:
    drawn = draw()
    sheets = drawn[-1].sheet + 1
    for number in range(sheets):
        sides: dict[int, set[bool]] = {}
        for listener in (number, number + sheets):
            for vote in plan_votes(drawn, listener, repeats=0):
                if vote.question < 9:  # No control.
                    sides.setdefault(vote.question, set()).add(vote.is_swapped)
        assert set(map(frozenset, sides.values())) == {frozenset({True, False})}


@pytest.mark.parametrize("order", ["balanced", "adaptive"])
@pytest.mark.parametrize("kind", ["answers", "clips"])
@pytest.mark.parametrize("subjects", [2, 3, 4])
@pytest.mark.parametrize("controls", [2, 3, 4])
def test_the_controls_of_a_listener_are_on_alternate_sides_and_balanced_over_listeners(
    order: Order, kind: Kind, subjects: int, controls: int
) -> None:
    drawn = draw_questions(
        kind,
        answers(SUBJECTS[:subjects], 24),
        questions=24,
        random_references=[(n, 9001 + n) for n in range(controls)],
        seed=1,
        order=order,
    )
    sheets = drawn[-1].sheet + 1
    by_number = {(q.sheet, q.number): q for q in drawn}
    swapped: dict[int, list[bool]] = {}
    for listener in range(2 * controls * sheets):
        sides = []
        for vote in _plan(drawn, listener, order):
            question = by_number[listener % sheets, vote.question]
            if question.control is not None:
                sides.append(vote.is_swapped)
                swapped.setdefault(question.target_id, []).append(vote.is_swapped)
        assert len(sides) == controls
        assert all(one != next_one for one, next_one in pairwise(sides))
    assert len(swapped) == controls
    assert {np.mean(each) for each in swapped.values()} == {0.5}


def _plan(drawn: list[Question], listener: int, order: Order) -> list[PlannedVote]:
    if order == "adaptive":
        return plan_adaptive_votes(drawn, [], listener, count=24, repeats=3, seed=1)
    return plan_votes(drawn, listener, repeats=3)


def test_listeners_of_neighbouring_sheets_see_a_control_on_opposite_sides() -> None:
    drawn = draw()  # Each sheet has the same controls, and few listeners have one turn only.
    firsts = [_first_control_is_swapped(drawn, listener) for listener in range(4)]
    assert firsts == [False, True, False, True]


def _first_control_is_swapped(drawn: list[Question], listener: int) -> bool:
    return next(v.is_swapped for v in plan_votes(drawn, listener, repeats=0) if v.question >= 9)


def test_one_listener_sees_each_pair_on_both_sides_equally_often() -> None:
    drawn = draw(questions=12, targets=12)
    sheet = {q.number: q for q in drawn if q.sheet == 0 and q.control is None}
    swapped = Counter(
        (pair(sheet[vote.question]), vote.is_swapped)
        for vote in plan_votes(drawn, 0, repeats=0)
        if vote.question in sheet
    )
    assert len(swapped) == 6
    assert set(swapped.values()) == {2}


def test_each_round_comes_first_for_equally_many_listeners() -> None:
    drawn = draw(questions=9, targets=3)  # One sheet of three rounds.
    first = Counter(
        next(v.question // 3 for v in plan_votes(drawn, number, repeats=0) if v.question < 9)
        for number in range(6)
    )
    assert first == {0: 2, 1: 2, 2: 2}


def test_repeats_come_at_the_end_with_swapped_sides() -> None:
    drawn = draw()
    votes = plan_votes(drawn, 4, repeats=2)
    assert [vote.position for vote in votes] == list(range(9 + 2 + 2))
    sides = {vote.question: vote.is_swapped for vote in votes[:-2]}
    assert len(sides) == 11
    assert all(vote.is_swapped != sides[vote.question] for vote in votes[-2:])
    assert len({vote.question for vote in votes[-2:]}) == 2


def test_controls_are_spread_and_a_copy_is_compared_with_a_random_reference() -> None:
    drawn = draw(questions=9)
    controls = {q.number: q for q in drawn if q.control and q.sheet == 0}
    assert [(q.first_id, q.second_id) for q in controls.values()] == [(0, 9001), (1, 9002)]
    places = [v.position for v in plan_votes(drawn, 0, repeats=0) if v.question in controls]
    assert places == [2, 8]


def test_a_rating_has_a_copy_and_a_random_reference_as_controls() -> None:
    drawn = [q for q in draw("rating") if q.control and q.sheet == 0]
    assert [(q.control, q.target_id, q.first_id) for q in drawn] == [
        ("copy", 0, 0),
        ("random", 0, 9001),
        ("copy", 1, 1),
        ("random", 1, 9002),
    ]
    assert all(q.second_id is None for q in drawn)


def test_targets_with_equal_answers_are_not_asked() -> None:
    assert {q.target_id for q in draw(same=5) if q.control is None} == set(range(5, 12))


def test_the_seed_alone_determines_the_questions() -> None:
    assert draw(seed=3) == draw(seed=3)
    assert draw(seed=3) != draw(seed=4)


@pytest.mark.parametrize(("subjects", "same"), [(1, 0), (2, 12)])
def test_subjects_that_cannot_be_compared_are_an_error(subjects: int, same: int) -> None:
    with pytest.raises(ConfigurationError, match="compare"):
        draw(subjects=subjects, same=same)


def test_targets_are_drawn_with_equal_chance() -> None:
    first = [draw(subjects=2, questions=1, seed=seed)[0].target_id for seed in range(600)]
    counts = np.bincount(first, minlength=12)
    assert counts.min() > 25  # 50 are expected.
    assert counts.max() < 80
