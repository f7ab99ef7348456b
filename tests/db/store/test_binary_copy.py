"""Rows that go in by COPY and vectors that come out of it."""

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.db.store import binary_copy
from tests.support.synthetic_library import SyntheticLibrary, unit


@pytest.fixture
def connection(fresh_database):
    with fresh_database.app.begin() as connection:
        connection.execute(
            text(
                "CREATE TEMPORARY TABLE every (small smallint, middle integer, big bigint, "
                "single real, twice double precision, words text, bytes bytea, v vector)"
            )
        )
        yield connection


def test_every_type_arrives_as_it_left(connection, monkeypatch):
    monkeypatch.setattr(binary_copy, "BLOCK", 2)
    columns = {
        "small": [-32768, 0, 32767],
        "middle": np.array([-(2**31), 0, 2**31 - 1]),
        "big": [-(2**63), 0, 2**63 - 1],
        "single": np.array([1.5, -0.1, np.inf], np.float32),
        "twice": [1.5, -0.1, 1e-300],
        "words": ["", "茉莉花\n\t\\N", "🎵" * 1000],
        "bytes": [b"", b"\0\xff", bytes(range(256)) * 300],
    }
    vectors = np.array([[1, 2], [-0.0, 1e-30], [0.1, 3]], np.float32)
    binary_copy.copy_rows(connection, "every", [*columns, "v"], [*columns.values(), vectors])
    rows = connection.execute(text("SELECT * FROM every ORDER BY big")).all()
    for at, (name, values) in enumerate(columns.items()):
        assert [bytes(r[at]) if name == "bytes" else r[at] for r in rows] == [
            pytest.approx(v, rel=1e-7) if name == "single" else v for v in values
        ]
    found, back = binary_copy.copy_vectors(connection, "SELECT big, v FROM every ORDER BY big", {})
    assert found.tolist() == columns["big"]
    assert back.tobytes() == vectors.tobytes()


def test_no_rows_are_no_problem(connection):
    binary_copy.copy_rows(connection, "every", ["big", "words"], [[], []])
    assert connection.execute(text("SELECT count(*) FROM every")).scalar_one() == 0
    found, vectors = binary_copy.copy_vectors(connection, "SELECT big, v FROM every", {})
    assert len(found) == len(vectors) == 0


def test_columns_of_unequal_length_are_refused(connection):
    with pytest.raises(ValueError, match="different lengths"):
        binary_copy.copy_rows(connection, "every", ["big", "small"], [[1, 2], [1]])


def test_unknown_type_is_named(connection):
    connection.execute(text("ALTER TABLE every ADD day date"))
    with pytest.raises(TypeError, match="date"):
        binary_copy.copy_rows(connection, "every", ["day"], [["2020-01-01"]])


def test_many_more_bytes_than_the_buffer_go_through(connection):
    vectors = np.random.default_rng(1).standard_normal((3000, 512)).astype(np.float32)
    binary_copy.copy_rows(connection, "every", ["big", "v"], [np.arange(3000), vectors])
    _, back = binary_copy.copy_vectors(connection, "SELECT big, v FROM every ORDER BY big", {})
    assert back.tobytes() == vectors.tobytes()


def test_vectors_come_in_blocks_with_their_places(fresh_database, monkeypatch):
    monkeypatch.setattr(binary_copy, "BLOCK", 4)
    library = SyntheticLibrary(fresh_database.app)
    ids = [library.add("reference", n, None if n == 5 else [n, 1, 0]) for n in range(10)]
    asked = ids[::-1]
    with library.app.connect() as connection:
        blocks = list(binary_copy.read_vectors(connection, library.encoder_id, asked))
    assert [len(places) for places, _ in blocks] == [4, 3, 2]
    for places, vectors in blocks:
        for place, vector in zip(places, vectors, strict=True):
            assert vector.tobytes() == unit([ids.index(asked[place]), 1, 0]).tobytes()
