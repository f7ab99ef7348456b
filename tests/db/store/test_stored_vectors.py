"""Vectors are read block by block, with their indices."""

from mirpipe.db.store import binary_copy
from mirpipe.db.store.stored_vectors import read_vectors
from tests.support.synthetic_library import SyntheticLibrary, unit


def test_vectors_come_in_blocks_with_their_indices(fresh_database, monkeypatch):
    monkeypatch.setattr(binary_copy, "BLOCK_ROWS", 4)
    library = SyntheticLibrary(fresh_database.app)
    ids = [library.add("reference", n, None if n == 5 else [n, 1, 0]) for n in range(10)]
    requested = ids[::-1]
    with library.app.connect() as connection:
        blocks = list(read_vectors(connection, library.encoder_id, requested))
    assert [len(indices) for indices, _ in blocks] == [4, 3, 2]
    for indices, vectors in blocks:
        for index, vector in zip(indices, vectors, strict=True):
            assert vector.tobytes() == unit([ids.index(requested[index]), 1, 0]).tobytes()
