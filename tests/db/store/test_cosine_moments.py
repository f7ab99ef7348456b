"""The pairs behind percentile, and sums that lost a vector."""

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.db.store import binary_copy, cosine_moments
from mirpipe.errors import DatabaseError
from mirpipe.stages.retrieve import retrieve
from tests.support.synthetic_library import SyntheticLibrary, sha256, unit


def fill(library: SyntheticLibrary, numbers: range) -> np.ndarray:
    """References by content hash: their vectors."""
    vectors = {}
    for n in numbers:
        library.add("reference", n, [np.sin(n), np.cos(n), n % 3])
        vectors[sha256(n)] = unit([np.sin(n), np.cos(n), n % 3]).astype(np.float64)
    return np.array([vectors[key] for key in sorted(vectors)])


def sample(library: SyntheticLibrary, limit: int) -> np.ndarray:
    with library.app.connect() as connection:
        return cosine_moments.reference_pairs(connection, library.encoder_id, limit=limit)


def test_few_references_give_all_their_pairs(fresh_database, monkeypatch):
    monkeypatch.setattr(binary_copy, "BLOCK", 7)
    library = SyntheticLibrary(fresh_database.app)
    vectors = fill(library, range(12))
    library.state(library.add("reference", "gone", [1, 0, 0]), "gone")
    library.add("target", "target", [1, 0, 0])
    every = (vectors @ vectors.T)[np.triu_indices(12, 1)]
    np.testing.assert_allclose(sample(library, 66), np.sort(every), atol=1e-15)


def test_sample_depends_on_content_alone(fresh_database):
    forward = SyntheticLibrary(fresh_database.app)
    vectors = fill(forward, range(20))
    backward = SyntheticLibrary(fresh_database.app, name="backward")
    ids = dict(forward.rows("SELECT track_id, title FROM mirpipe.track"))
    for track_id, n in sorted(ids.items(), reverse=True):
        backward.embed(track_id, [np.sin(int(n)), np.cos(int(n)), int(n) % 3])
    found = sample(forward, 41)
    assert found.tobytes() == sample(backward, 41).tobytes()
    ring = [vectors[i] @ vectors[(i + step) % 20] for step in (1, 2) for i in range(20)]
    np.testing.assert_allclose(found, np.sort(ring), atol=1e-15)


def test_no_references_have_no_pairs_and_no_background(fresh_database):
    library = SyntheticLibrary(fresh_database.app)
    library.add("target", "t", [1, 0, 0])
    retrieve()
    assert len(sample(library, 10)) == 0
    with library.app.connect() as connection:
        spread = cosine_moments.background(connection, library.encoder_id)
    assert (spread.n, len(spread.target_ids), len(spread.mean), len(spread.sd)) == (0, 0, 0, 0)


def test_vector_that_vanished_without_a_trace_is_noticed(fresh_database):
    library = SyntheticLibrary(fresh_database.app)
    fill(library, range(3))
    retrieve()
    with fresh_database.owner.begin() as owner:
        owner.execute(text("ALTER TABLE mirpipe.embedding DISABLE TRIGGER USER"))
        owner.execute(text("DELETE FROM mirpipe.embedding"))
    library.run("UPDATE mirpipe.track SET state = 'gone'")
    with pytest.raises(DatabaseError, match="mirpipe retrieve --rebuild"):
        retrieve()
    retrieve(rebuild=True)
    assert library.rows("SELECT n FROM mirpipe.background_moment") == []
