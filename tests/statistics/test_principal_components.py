"""A plane spanned by the directions in which vectors differ most."""

import numpy as np
import pytest

from mirpipe.statistics.cosine_moments import Moments
from mirpipe.statistics.principal_components import plane


def cloud(n: int = 200) -> np.ndarray:
    rng = np.random.default_rng(1)
    spread = np.array([0.1, 3.0, 0.2, 1.0, 0.1])
    return (rng.normal(size=(n, 5)) * spread + 2).astype(np.float32)


def test_axes_are_the_directions_of_most_variance() -> None:
    vectors = cloud()
    found = plane(Moments.of_nothing(5).plus(vectors))
    assert found is not None
    assert np.abs(found.axes).argmax(axis=0).tolist() == [1, 3]
    placed = found.place(vectors)
    assert placed.mean(axis=0) == pytest.approx([0, 0], abs=1e-4)
    total = vectors.var(axis=0).sum()
    assert found.shares == pytest.approx(placed.var(axis=0) / total, rel=1e-3)


def test_the_side_of_an_axis_is_the_same_every_time() -> None:
    vectors = cloud()
    forwards = plane(Moments.of_nothing(5).plus(vectors))
    mirrored = plane(Moments.of_nothing(5).plus(-vectors))
    assert forwards is not None
    assert mirrored is not None
    assert (np.abs(forwards.axes).max(axis=0) == forwards.axes.max(axis=0)).all()
    assert forwards.axes == pytest.approx(mirrored.axes, abs=1e-6)


def test_too_few_vectors_or_dimensions_span_no_plane() -> None:
    assert plane(Moments.of_nothing(5).plus(cloud(2))) is None
    assert plane(Moments.of_nothing(1).plus(np.ones((9, 1), np.float32))) is None


def test_equal_vectors_span_no_plane() -> None:
    vector = np.array([[0.1, 0.2, 0.97]], np.float32)
    assert plane(Moments.of_nothing(3).plus(np.repeat(vector, 9, axis=0))) is None
