"""Agreement between listeners: a published example, chance, and undefined values."""

import numpy as np
import pytest

from mirpipe.statistics.listener_agreement import agreement

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
