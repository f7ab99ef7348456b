"""Agreement between listeners: a published example, chance, and undefined values."""

import numpy as np
import pytest

from mirpipe.statistics.listener_agreement import Agreement, agreement

# Krippendorff, Computing Krippendorff's alpha-reliability (2011), example C: 4 observers, 12 units.
PUBLISHED = [
    [1, 1, None, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [None, 5, 5, 5],
    [None, None, 1, 1],
    [None, None, 3, None],
]


def counts(answers: list[list[int | None]]) -> np.ndarray:
    return np.array([[row.count(value) for value in range(1, 6)] for row in answers])


def test_the_published_example_has_its_published_alpha() -> None:
    found = agreement(counts(PUBLISHED))
    assert found.alpha == pytest.approx(0.815, abs=5e-4)
    assert found.questions_n == 11
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.815 < found.high <= 1.0


def test_random_answers_have_an_interval_around_0() -> None:
    random = np.random.default_rng(1)
    found = agreement(random.multinomial(5, np.full(3, 1 / 3), size=80))
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high


@pytest.mark.parametrize(
    ("answers", "n", "reason"),
    [
        ([], 0, "no_question"),
        ([[1, 0, 0]] * 9, 0, "no_question"),
        ([[3, 0, 0]] * 9, 9, "equal_values"),
        ([[2, 0, 1]] * 4, 4, "too_few_questions"),
    ],
)
def test_an_undefined_value_has_a_reason(answers: list[list[int]], n: int, reason: str) -> None:
    found = agreement(np.array(answers, np.int64).reshape(-1, 3))
    assert (found.questions_n, found.low, found.reason) == (n, None, reason)
    assert (found.alpha is None) == (reason != "too_few_questions")


def choices(answers: list[list[int]] | np.ndarray) -> Agreement:
    return agreement(np.array(answers, np.int64), are_choices=True)


def test_agreement_on_choices_does_not_depend_on_which_subject_is_the_first() -> None:
    random = np.random.default_rng(1)
    preferred = random.multinomial(6, [0.1, 0.1, 0.8], size=40)
    expected = choices(preferred)
    assert expected.alpha is not None
    assert 0.3 < expected.alpha < 0.9
    for chance in (0.1, 0.5, 1.0):
        swapped = random.random(len(preferred)) < chance
        found = choices(np.where(swapped[:, None], preferred[:, ::-1], preferred))
        assert found.questions_n == expected.questions_n
        assert (found.alpha, found.low, found.high) == pytest.approx(
            (expected.alpha, expected.low, expected.high), abs=1e-12
        )


def test_unanimous_choices_agree_completely_and_only_ties_are_undefined() -> None:
    unanimous = choices([[0, 0, 6]] * 9)
    assert (unanimous.alpha, unanimous.low, unanimous.high) == (1.0, 1.0, 1.0)
    assert choices([[0, 6, 0]] * 9).reason == "equal_values"


def test_random_choices_have_an_agreement_of_0_on_average() -> None:
    random = np.random.default_rng(1)
    found = [choices(random.multinomial(5, [0.45, 0.1, 0.45], size=80)) for _ in range(30)]
    assert np.mean([each.alpha for each in found]) == pytest.approx(0, abs=0.02)


def test_listeners_who_prefer_the_opposite_disagree_more_than_by_chance() -> None:
    found = choices([[3, 0, 3]] * 9)
    assert found.alpha is not None
    assert found.alpha < 0
