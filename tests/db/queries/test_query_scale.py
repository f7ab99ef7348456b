"""Tests of the z and the percentile of searched references."""

import numpy as np
import pytest

from mirpipe.db.queries import similar_references
from mirpipe.db.queries.vector_search import NearReference
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary, sha256, unit


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Return a library with twenty references that point in random directions."""
    made = SyntheticLibrary(fresh_database.app)
    for number, vector in enumerate(np.random.default_rng(3).standard_normal((20, 3))):
        made.add("reference", f"r{number}", vector)
    return made


def found(track_id: int, content: object) -> list[NearReference]:
    """Return all references that are found for a track."""
    (result,) = similar_references(track_id, sha256(content).hex(), k=20)
    return result.references or []


def test_the_numbers_of_a_target_are_those_of_its_matches(library: SyntheticLibrary) -> None:
    target = library.add("target", "t", [1, 2, 3])
    retrieve()
    report(trigger="test")
    stored = library.rows(
        "SELECT reference_id, z, percentile FROM mirpipe.v_retrieval ORDER BY rank"
    )
    shown = [(row.track_id, row.z, row.percentile) for row in found(target, "t")][: len(stored)]
    assert [row[0] for row in shown] == [row[0] for row in stored]
    np.testing.assert_allclose([row[1:] for row in shown], [row[1:] for row in stored], rtol=1e-9)


def test_the_cosine_of_a_reference_to_itself_does_not_count(library: SyntheticLibrary) -> None:
    retrieve()
    vectors = np.array([unit(row) for row in np.random.default_rng(3).standard_normal((20, 3))])
    cosines = vectors[1:] @ vectors[0]
    expected = np.sort((cosines - cosines.mean()) / cosines.std())[::-1]
    (track_id,) = library.rows("SELECT track_id FROM mirpipe.track WHERE title = 'r0'")[0]
    near = found(track_id, "r0")
    np.testing.assert_allclose([row.z for row in near], expected, rtol=1e-5)
    assert {row.percentile for row in near} == {None}, "no run has a percentile scale"


def test_two_references_are_needed_for_a_spread(fresh_database: Database) -> None:
    library = SyntheticLibrary(fresh_database.app)
    library.add("reference", "r", [1, 0, 0])
    target = library.add("target", "t", [1, 1, 0])
    retrieve()
    assert [row.z for row in found(target, "t")] == [None]
