"""The adaptive order: uncertain pairs are asked more often, and the report says so."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from mirpipe.cli.main import app
from mirpipe.db.store.listening_tests import AskedVotes, asked_votes
from mirpipe.listening.adaptive_order import Key, choose_questions, plan_adaptive_votes
from mirpipe.listening.create_links import create_tokens
from mirpipe.listening.create_test import ListeningOptions, create_test
from mirpipe.listening.design import Question, comparison_of, draw_questions
from tests.listening.test_results import links
from tests.listening.voters import vote_all
from tests.support.databases import Database

SUBJECTS = ("a", "b", "c")
EVEN = ("a", "b", "similarity")


@dataclass(frozen=True)
class Pool:
    """A pool of questions, with and without its controls."""

    questions: list[Question]

    @property
    def main(self) -> list[Question]:
        return [question for question in self.questions if question.control is None]


@pytest.fixture
def pool() -> Pool:
    answers = {s: {t: 1000 * t + n for t in range(40)} for n, s in enumerate(SUBJECTS, 1)}
    drawn = draw_questions(
        "answers",
        answers,
        questions=9,
        random_references=[(0, 9001)],
        seed=1,
        order="adaptive",
    )
    return Pool(drawn)


def asked(
    first: str, second: str, first_n: int, second_n: int, *, planned_n: int = 0
) -> AskedVotes:
    return AskedVotes(first, second, "similarity", first_n, second_n, 0, planned_n)


def shares(pool: Pool, votes: list[AskedVotes]) -> Counter[tuple[Any, ...]]:
    """Return how often each comparison is among 24 questions of 50 listeners."""
    by_pair: dict[Key, AskedVotes] = {
        (a.first_subject, a.second_subject, a.criterion): a for a in votes
    }
    return Counter(
        comparison_of(question)
        for number in range(50)
        for question in choose_questions(
            pool.main,
            by_pair,
            count=24,
            number=number,
            seed=1,
        )
    )


def test_there_is_one_sheet_with_all_rounds(pool: Pool) -> None:
    assert {question.sheet for question in pool.questions} == {0}
    assert Counter(map(comparison_of, pool.main)).most_common()[-1][1] == 40


def test_without_votes_all_pairs_are_asked_about_equally_often(pool: Pool) -> None:
    found = shares(pool, [])
    assert sum(found.values()) == 50 * 24
    assert max(found.values()) < 1.2 * min(found.values())


def test_a_pair_with_an_even_result_is_asked_more_often(pool: Pool) -> None:
    votes = [asked("a", "b", 20, 20), asked("a", "c", 40, 0), asked("b", "c", 40, 0)]
    found = shares(pool, votes)
    assert found[EVEN] > 2 * max(n for pair, n in found.items() if pair != EVEN)


def test_planned_votes_count_as_given(pool: Pool) -> None:
    votes = [asked("a", "b", 5, 5, planned_n=200), asked("a", "c", 5, 5), asked("b", "c", 5, 5)]
    found = shares(pool, votes)
    assert found[EVEN] < min(n for pair, n in found.items() if pair != EVEN) / 2


def test_a_listener_is_asked_each_question_once_then_controls_and_repeats(pool: Pool) -> None:
    planned = plan_adaptive_votes(pool.questions, [], 3, count=24, repeats=2, seed=1)
    again = plan_adaptive_votes(pool.questions, [], 3, count=24, repeats=2, seed=1)
    assert planned == again
    numbers = [vote.question for vote in planned]
    assert len(numbers) == 24 + 1 + 2
    assert len(set(numbers)) == 24 + 1
    for vote in planned[-2:]:
        (first,) = [v for v in planned[:-2] if v.question == vote.question]
        assert first.is_swapped != vote.is_swapped
    swapped = np.mean([vote.is_swapped for vote in planned])
    assert 0.25 < swapped < 0.75


def test_more_questions_than_there_are_ask_all_of_them(pool: Pool) -> None:
    chosen = choose_questions(pool.main, {}, count=500, number=0, seed=1)
    assert sorted(q.number for q in chosen) == sorted(q.number for q in pool.main)


@pytest.mark.parametrize("count", [24, 25])
def test_all_targets_are_asked_and_the_sides_are_balanced(count: int) -> None:
    answers = {s: {t: 1000 * t + n for t in range(12)} for n, s in enumerate("abcdef", 1)}
    questions = draw_questions(
        "answers", answers, questions=count, random_references=[], seed=1, order="adaptive"
    )
    by_number = {question.number: question for question in questions}
    targets: dict[Any, set[int]] = {comparison_of(question): set() for question in questions}
    swapped: dict[Any, list[bool]] = {comparison: [] for comparison in targets}
    for number in range(40):
        for vote in plan_adaptive_votes(questions, [], number, count=count, repeats=0, seed=1):
            question = by_number[vote.question]
            targets[comparison_of(question)].add(question.target_id)
            swapped[comparison_of(question)].append(vote.is_swapped)
    assert min(map(len, targets.values())) >= 11  # By chance, one of 12 can be missing.
    assert sum(map(len, targets.values())) >= 178
    assert all(0.3 < np.mean(sides) < 0.7 for sides in swapped.values())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["listening", *arguments])


def test_later_links_ask_about_the_uncertain_pair_and_the_report_says_so(
    library: Database,
) -> None:
    result = run("create", "--order", "adaptive", "--questions", "12", "--name", "test")
    assert "test: 12 questions, 3 controls and 3 repeats" in result.stdout
    even = {"clap": 3.0, "musicnn": 3.0, "signal": -3.0}
    for step in range(6):
        for number, token in enumerate(links("test", 3)):
            vote_all(library, token, even, seed=10 * step + number)
    with library.app.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT first_subject, second_subject, count(*) FROM mirpipe.vote "
                "JOIN mirpipe.listening_question USING (question_id) WHERE control IS NULL "
                "GROUP BY 1, 2"
            )
        )
        asked_n = {(row[0], row[1]): row[2] for row in rows}
    uncertain = asked_n.pop(("clap", "musicnn"))
    assert uncertain > 1.3 * max(asked_n.values())
    found = json.loads(run("results", "test", "--json").stdout)
    assert found["order"] == "adaptive"
    strengths = {s["subject"]: s["log_strength"] for s in found["criteria"][0]["subjects"]}
    assert strengths["signal"] == min(strengths.values())
    printed = " ".join(run("results", "test").stdout.split())
    assert "The order of the questions is adaptive." in printed
    assert "all intervals and p-values are approximate" in printed
    assert (
        "test" in run("create", "--order", "adaptive", "--questions", "12", "--name", "test").stdout
    )


def test_a_repeat_is_no_second_vote(library: Database) -> None:
    test = create_test("test", None, ListeningOptions("answers", questions=12, repeats=3), seed=1)
    (token,) = create_tokens(test, 1)
    assert votes_on(library, test.listening_test_id) == (0, 12)
    vote_all(library, token, {"clap": 1.0, "musicnn": 0.0, "signal": -1.0}, seed=1)
    assert votes_on(library, test.listening_test_id) == (12, 0)


def votes_on(library: Database, test_id: int) -> tuple[int, int]:
    """Return the number of given and of planned votes."""
    with library.app.connect() as connection:
        found = asked_votes(connection, test_id)
    given = sum(a.first_n + a.second_n + a.neither_n for a in found)
    return given, sum(a.planned_n for a in found)


def test_a_rating_has_no_adaptive_order(library: Database) -> None:
    result = run("create", "--kind", "rating", "--order", "adaptive")
    assert "A rating has no adaptive order" in str(result.exception)
