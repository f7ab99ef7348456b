"""Vectors that were copied to a temporary file are those of the database, in the same order."""

import numpy as np
import pytest

from mirpipe.db.store import track_vectors
from mirpipe.db.store.stored_vectors import read_vectors_in_order
from mirpipe.db.store.track_vectors import TrackVectors
from mirpipe.settings import settings
from tests.support.synthetic_library import SyntheticLibrary


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Use a home folder that does not exist yet."""
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    return tmp_path / "home"


def test_rows_and_blocks_are_the_vectors_in_the_order_of_the_ids(fresh_database, home, monkeypatch):
    monkeypatch.setattr(track_vectors, "BLOCK_ROWS", 4)
    library = SyntheticLibrary(fresh_database.app)
    ids = np.array([library.add("reference", n, [n, 1, 0]) for n in range(10)])[::-1]
    with library.app.connect() as connection:
        expected = read_vectors_in_order(connection, library.encoder_id, ids)
        vectors = TrackVectors(connection, library.encoder_id, ids)
    np.testing.assert_array_equal(vectors.rows(slice(2, 5)), expected[2:5])
    np.testing.assert_array_equal(vectors.rows(np.array([9, 0, 9])), expected[[9, 0, 9]])
    blocks = list(vectors.blocks())
    assert [block.order.tolist() for block in blocks] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    np.testing.assert_array_equal(np.concatenate([block.vectors for block in blocks]), expected)
    assert list(home.iterdir()) == []
