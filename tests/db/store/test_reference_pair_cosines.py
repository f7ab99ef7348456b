"""The sample of reference pairs depends only on the library content."""

import numpy as np

from mirpipe.db.store import binary_copy
from mirpipe.db.store.reference_pair_cosines import reference_pair_cosines
from tests.support.synthetic_library import SyntheticLibrary, sha256, unit


def add_references(library: SyntheticLibrary, numbers: range) -> np.ndarray:
    """Add references, and return their vectors in the order of their content hashes."""
    vectors = {}
    for n in numbers:
        library.add("reference", n, [np.sin(n), np.cos(n), n % 3])
        vectors[sha256(n)] = unit([np.sin(n), np.cos(n), n % 3]).astype(np.float64)
    return np.array([vectors[key] for key in sorted(vectors)])


def sample(library: SyntheticLibrary, limit: int) -> np.ndarray:
    with library.app.connect() as connection:
        return reference_pair_cosines(connection, library.encoder_id, limit=limit)


def test_few_references_give_all_their_pairs(fresh_database, monkeypatch):
    monkeypatch.setattr(binary_copy, "BLOCK_ROWS", 7)
    library = SyntheticLibrary(fresh_database.app)
    vectors = add_references(library, range(12))
    library.set_state(library.add("reference", "gone", [1, 0, 0]), "gone")
    library.add("target", "target", [1, 0, 0])
    all_pairs = (vectors @ vectors.T)[np.triu_indices(12, 1)]
    np.testing.assert_allclose(sample(library, 66), np.sort(all_pairs), atol=1e-15)


def test_sample_depends_only_on_content(fresh_database):
    forward = SyntheticLibrary(fresh_database.app)
    vectors = add_references(forward, range(20))
    backward = SyntheticLibrary(fresh_database.app, name="backward")
    ids = dict(forward.rows("SELECT track_id, title FROM mirpipe.track"))
    for track_id, n in sorted(ids.items(), reverse=True):
        backward.set_vector(track_id, [np.sin(int(n)), np.cos(int(n)), int(n) % 3])
    cosines = sample(forward, 41)
    assert cosines.tobytes() == sample(backward, 41).tobytes()
    ring = [vectors[i] @ vectors[(i + step) % 20] for step in (1, 2) for i in range(20)]
    np.testing.assert_allclose(cosines, np.sort(ring), atol=1e-15)


def test_no_references_give_no_pairs(fresh_database):
    library = SyntheticLibrary(fresh_database.app)
    library.add("target", "t", [1, 0, 0])
    assert len(sample(library, 10)) == 0
