"""Genres from before 0026 become sets, and stay readable after a downgrade."""

import pytest
from sqlalchemy import text

from mirpipe.db.migrate import downgrade, migrate
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


@pytest.mark.parametrize(
    ("before", "label", "genres"),
    [
        ("Jazz", "Jazz", ["Jazz"]),
        (" Jazz ;Bossa Nova;; jazz", "Jazz; Bossa Nova", ["Jazz", "Bossa Nova"]),
        ("Folk, World, & Country", "Folk, World, & Country", ["Folk, World, & Country"]),
        (" ; ", None, []),
        (None, None, []),
    ],
)
def test_a_stored_genre_becomes_a_set(
    fresh_database: Database, before: str | None, label: str | None, genres: list[str]
) -> None:
    downgrade("0025")
    library = SyntheticLibrary(fresh_database.app)
    labels = {"artist": "A; B"} | ({} if before is None else {"genre": before})
    library.add("reference", "r", labels=labels)
    migrate()
    columns = "labels ->> 'genre', labels ->> 'artist', genres, genre"
    assert library.rows(f"SELECT {columns} FROM mirpipe.v_library") == [
        (label, "A; B", genres, label)
    ]
    downgrade("0025")
    assert library.rows("SELECT labels ->> 'genre' FROM mirpipe.track") == [(label,)]
    with fresh_database.app.connect() as connection:
        columns = connection.execute(text("SELECT * FROM mirpipe.track")).keys()
    assert "genres" not in columns
