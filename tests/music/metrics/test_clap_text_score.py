"""CLAP text score: the cosine similarity between two unit vectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.music.metrics.clap_text_score import TEXT_SCORE, text_score
from mirpipe.records import Float32


def unit(*values: float) -> Float32:
    vector = np.asarray(values, np.float32)
    return vector / np.linalg.norm(vector)


def random_unit(seed: int) -> Float32:
    return unit(*np.random.default_rng(seed).standard_normal(512))


def test_known_angles_have_known_scores() -> None:
    east = unit(1, 0)
    assert text_score(east, unit(3, 0)) == pytest.approx(1)
    assert text_score(east, unit(1, 1)) == pytest.approx(0.5**0.5)
    assert text_score(east, unit(0, 5)) == pytest.approx(0)
    assert text_score(east, unit(-1, 0)) == pytest.approx(-1)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_score_is_symmetric_and_within_its_range(first: int, second: int) -> None:
    score = text_score(random_unit(first), random_unit(second))
    assert TEXT_SCORE.low <= score <= TEXT_SCORE.high
    assert score == text_score(random_unit(second), random_unit(first))


@given(st.integers(0, 10_000))
def test_rounding_never_takes_a_score_out_of_its_range(seed: int) -> None:
    vector = random_unit(seed)
    assert 1 - 1e-6 <= text_score(vector, vector) <= 1
    assert -1 <= text_score(vector, -vector) <= -1 + 1e-6


@pytest.mark.parametrize("length", [0.0, 0.5, 2.0, np.nan])
def test_vector_of_another_length_is_an_error(length: float) -> None:
    with pytest.raises(ValueError, match="the vector of the clip has length"):
        text_score(random_unit(0), random_unit(1) * np.float32(length))
    with pytest.raises(ValueError, match="the vector of the caption has length"):
        text_score(random_unit(0) * np.float32(length), random_unit(1))


def test_vectors_of_different_shapes_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and \(512,\)"):
        text_score(unit(1, 1), random_unit(0))
    rows = random_unit(0)[None]
    with pytest.raises(ValueError, match="cannot compare"):
        text_score(rows, rows)
