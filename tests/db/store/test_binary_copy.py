"""Values remain bit-for-bit identical when written and read with binary COPY."""

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.db.store import binary_copy


@pytest.fixture
def connection(fresh_database):
    """Yield a transaction with an empty table that has one column of every supported type."""
    with fresh_database.app.begin() as connection:
        connection.execute(
            text(
                "CREATE TEMPORARY TABLE every (small smallint, middle integer, big bigint, "
                "single real, twice double precision, words text, bytes bytea, v vector)"
            )
        )
        yield connection


def test_values_of_every_type_are_stored_unchanged(connection, monkeypatch):
    monkeypatch.setattr(binary_copy, "BLOCK_ROWS", 2)
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
    for column, (name, values) in enumerate(columns.items()):
        assert [bytes(r[column]) if name == "bytes" else r[column] for r in rows] == [
            pytest.approx(v, rel=1e-7) if name == "single" else v for v in values
        ]
    ids, read = binary_copy.select_vectors(connection, "SELECT big, v FROM every ORDER BY big", {})
    assert ids.tolist() == columns["big"]
    assert read.tobytes() == vectors.tobytes()


def test_empty_columns_write_nothing(connection):
    binary_copy.copy_rows(connection, "every", ["big", "words"], [[], []])
    assert connection.execute(text("SELECT count(*) FROM every")).scalar_one() == 0
    ids, vectors = binary_copy.select_vectors(connection, "SELECT big, v FROM every", {})
    assert len(ids) == len(vectors) == 0


def test_hashes_are_read_with_their_ids(connection):
    hashes = [b"a" * 31 + b"\0", bytes(range(32)), b"\xff" * 32]
    binary_copy.copy_rows(connection, "every", ["big", "bytes"], [[3, -1, 2**40], hashes])
    query = "SELECT big, bytes FROM every WHERE big = ANY(%(ids)s) ORDER BY big"
    ids, read = binary_copy.select_hashes(connection, query, {"ids": [3, -1, 2**40]})
    assert ids.tolist() == [-1, 3, 2**40]
    assert read.tobytes() == hashes[1] + hashes[0] + hashes[2]
    ids, read = binary_copy.select_hashes(connection, query, {"ids": [0]})
    assert len(ids) == len(read) == 0


def test_columns_of_different_lengths_raise(connection):
    with pytest.raises(ValueError, match="different lengths"):
        binary_copy.copy_rows(connection, "every", ["big", "small"], [[1, 2], [1]])


def test_an_unsupported_type_is_named(connection):
    connection.execute(text("ALTER TABLE every ADD day date"))
    with pytest.raises(TypeError, match="date"):
        binary_copy.copy_rows(connection, "every", ["day"], [["2020-01-01"]])


def test_more_bytes_than_the_buffer_are_stored(connection):
    vectors = np.random.default_rng(1).standard_normal((3000, 512)).astype(np.float32)
    binary_copy.copy_rows(connection, "every", ["big", "v"], [np.arange(3000), vectors])
    _, read = binary_copy.select_vectors(connection, "SELECT big, v FROM every ORDER BY big", {})
    assert read.tobytes() == vectors.tobytes()
