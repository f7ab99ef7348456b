"""The facts about music follow from the vectors and scores of the clips."""

import numpy as np

from mirpipe.operations.model_check.demo_clips import CLIPS
from mirpipe.operations.model_check.musical_facts import facts_of_scores, facts_of_vectors

DIRECTIONS = {
    "drums": [1.0, 0.0, 0.0],
    "other drums": [0.9, 0.1, 0.0],
    "flute": [0.0, 1.0, 0.0],
    "piano": [0.0, 0.0, 1.0],
    "band": [0.5, 0.5, 0.5],
    "noise": [-1.0, 0.0, 0.0],
}
AXES = ("aesthetics_ce", "aesthetics_pq")


def vectors(**changed: list[float]) -> np.ndarray:
    """Return one vector per clip. Clips that are not named keep the vectors of a good model."""
    named = DIRECTIONS | {name.replace("_", " "): row for name, row in changed.items()}
    return np.array([named[clip] for clip in CLIPS])


def test_drums_are_compared_with_drums_and_with_a_flute() -> None:
    (good,) = facts_of_vectors(vectors(), None)
    assert good.holds
    assert "(0.994) than to a flute (0.000)" in good.statement
    (bad,) = facts_of_vectors(vectors(flute=[1.0, 0.01, 0.0]), None)
    assert not bad.holds


def test_the_length_of_a_vector_does_not_matter() -> None:
    (fact,) = facts_of_vectors(vectors(flute=[5.0, 100.0, 0.0]), None)
    assert fact.holds


def test_the_text_about_a_piano_should_be_nearest_to_the_piano() -> None:
    _, good = facts_of_vectors(vectors(), np.array([[0.1, 0.0, 2.0]]))
    assert good.holds
    _, bad = facts_of_vectors(vectors(), np.array([[-3.0, 0.0, 0.1]]))
    assert not bad.holds
    assert bad.statement.endswith("nearest to: noise")


def test_noise_should_have_a_lower_enjoyment_than_all_music() -> None:
    scores = np.array([[6.0, 5.0]] * (len(CLIPS) - 1) + [[2.0, 9.0]])
    (good,) = facts_of_scores(scores, AXES)
    assert good.holds
    scores[2, 0] = 1.5
    (bad,) = facts_of_scores(scores, AXES)
    assert not bad.holds
    assert facts_of_scores(scores, ("another_axis",)) == []
