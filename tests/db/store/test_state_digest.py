"""The digest of a run's state changes with every kind of change, and does not grow."""

import pytest
from sqlalchemy import text

from mirpipe.db.row_hash_sum import row_hash_sum
from mirpipe.db.snapshot import open_snapshot
from mirpipe.db.store.runs import state_digest
from mirpipe.db.store.shown_matches import prepare_matches
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

CHANGES = {
    "title": "UPDATE mirpipe.track SET title = 'new' WHERE title = 'a'",
    "label": "UPDATE mirpipe.track SET labels = '{\"genre\": \"Jazz\"}' WHERE title = 'a'",
    "addition": "INSERT INTO mirpipe.track (collection, content_sha256, title, seconds, rms_dbfs, "
    "state) VALUES ('reference', sha256('new'), 'new', 1, -20, 'ok')",
    "removal": "UPDATE mirpipe.track SET state = 'gone' WHERE title = 'a'",
    "swapped titles": "UPDATE mirpipe.track SET title = CASE title WHEN 'a' THEN 'b' ELSE 'a' END",
    "moved between title and label": "UPDATE mirpipe.track SET title = 'a{', labels = '{}' "
    "WHERE title = 'a'",
    "match": "UPDATE mirpipe.neighbour SET cosine = cosine - 0.001",
}


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    library = SyntheticLibrary(fresh_database.app)
    target = library.add("target", "t", (1, 0, 0))
    for title in ("a", "b"):
        library.add("reference", title, (1, 1, 0))
    library.execute(
        "INSERT INTO mirpipe.serving_revision (name, encoder_id) "
        "SELECT name, encoder_id FROM mirpipe.encoder"
    )
    library.execute(
        "INSERT INTO mirpipe.neighbour (encoder_id, target_id, reference_id, cosine) "
        "SELECT encoder_id, :target, track_id, 0.5 FROM mirpipe.encoder, mirpipe.track "
        "WHERE title = 'a'",
        target=target,
    )
    return library


def digest(method: str = "bootstrap") -> str:
    with open_snapshot("app") as connection:
        prepare_matches(connection, same_recording_counts=False)
        return state_digest(connection, method)


@pytest.mark.parametrize("change", CHANGES)
def test_every_kind_of_change_gives_another_digest(library: SyntheticLibrary, change: str) -> None:
    before = digest()
    assert digest() == before
    library.execute(CHANGES[change])
    assert digest() != before


def test_another_method_gives_another_digest(library: SyntheticLibrary) -> None:
    assert digest("t-test") != digest()


def test_the_hash_of_rows_ignores_their_order_and_counts_repeated_rows(
    fresh_database: Database,
) -> None:
    with fresh_database.app.connect() as connection:

        def hashed(values: str) -> str:
            query = f"SELECT * FROM (VALUES {values}) v (title, labels)"
            return str(connection.execute(text(f"SELECT {row_hash_sum(query)}")).scalar_one())

        assert hashed("('a', 'x'), ('b', 'y')") == hashed("('b', 'y'), ('a', 'x')")
        different = [
            *("('a', 'x'), ('b', 'y')", "('a', 'y'), ('b', 'x')"),
            *("('a', 'x')", "('a', 'x'), ('a', 'x')", "('a', 'x'), ('a', 'x'), ('a', 'x')"),
            *("('ax', '')", "('', 'ax')", "('ax', NULL)", "('a,', 'x')", "('a', ',x')"),
        ]
        assert len({hashed(values) for values in different}) == len(different)


def test_the_hash_of_rows_does_not_grow_with_their_number(fresh_database: Database) -> None:
    query = "SELECT number, repeat('title', 10) FROM generate_series(1, 100000) number"
    with fresh_database.app.connect() as connection:
        hashed = connection.execute(text(f"SELECT {row_hash_sum(query)}")).scalar_one()
    assert len(hashed) < 64
