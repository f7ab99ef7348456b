"""The principal plane contains the directions in which the vectors vary most."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from mirpipe.statistics.cosine_moments import Moments
from mirpipe.statistics.principal_components import PrincipalPlane, principal_plane


def vectors(n: int = 200, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spread = np.array([0.1, 3.0, 0.2, 1.0, 0.1])
    return (rng.normal(size=(n, 5)) * spread + 2).astype(np.float32)


def plane_of(rows: np.ndarray) -> PrincipalPlane:
    plane = principal_plane(Moments.empty(rows.shape[1]).plus(rows))
    assert plane is not None
    return plane


def test_axes_are_the_directions_of_most_variance() -> None:
    rows = vectors()
    plane = plane_of(rows)
    assert np.abs(plane.axes).argmax(axis=0).tolist() == [1, 3]
    coordinates = plane.project(rows)
    assert coordinates.mean(axis=0) == pytest.approx([0, 0], abs=1e-4)
    total = rows.var(axis=0).sum()
    assert plane.variance_shares == pytest.approx(coordinates.var(axis=0) / total, rel=1e-3)


@settings(deadline=None, max_examples=30)
@given(st.integers(10, 300), st.integers(0, 1000))
def test_plane_equals_scikit_learn_except_for_the_signs(n: int, seed: int) -> None:
    rows = vectors(n, seed)
    plane = plane_of(rows)
    pca = PCA(n_components=2, svd_solver="full").fit(rows.astype(np.float64))
    assert plane.mean == pytest.approx(pca.mean_, abs=1e-9)
    assert plane.variance_shares == pytest.approx(pca.explained_variance_ratio_, rel=1e-6)
    assert np.abs(pca.components_ @ plane.axes) == pytest.approx(np.eye(2), abs=1e-6)


def test_sign_of_an_axis_is_always_the_same() -> None:
    rows = vectors()
    plane, mirrored = plane_of(rows), plane_of(-rows)
    assert (np.abs(plane.axes).max(axis=0) == plane.axes.max(axis=0)).all()
    assert plane.axes == pytest.approx(mirrored.axes, abs=1e-6)


def test_too_few_vectors_or_dimensions_have_no_plane() -> None:
    assert principal_plane(Moments.empty(5).plus(vectors(2))) is None
    assert principal_plane(Moments.empty(1).plus(np.ones((9, 1), np.float32))) is None


def test_equal_vectors_have_no_plane() -> None:
    vector = np.array([[0.1, 0.2, 0.97]], np.float32)
    assert principal_plane(Moments.empty(3).plus(np.repeat(vector, 9, axis=0))) is None
