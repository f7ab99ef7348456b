"""The excerpt of a target is its middle, and is as long as the settings request."""

import pytest
from sqlalchemy import text

from mirpipe.db.store import excerpts
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


@pytest.fixture
def targets(fresh_database: Database) -> dict[str, int]:
    """Add a target of 20 s, one of 100 s and a reference, and return their ids by title."""
    library = SyntheticLibrary(fresh_database.app)
    ids = {
        "short": library.add("target", "short"),
        "long": library.add("target", "long"),
        "reference": library.add("reference", "reference"),
    }
    for title, seconds in {"short": 20.0, "long": 100.0}.items():
        library.execute(
            "UPDATE mirpipe.track SET seconds = :seconds WHERE title = :title",
            seconds=seconds,
            title=title,
        )
    return ids


def chosen(database: Database, targets: dict[str, int]) -> dict[str, tuple[float, float, bool]]:
    with database.reader.connect() as connection:
        wanted = excerpts.wanted(connection, list(targets.values()))
    return {
        title: (excerpt.start_seconds, excerpt.seconds, excerpt.is_whole)
        for title, track_id in targets.items()
        if (excerpt := wanted.get(track_id))
    }


def choose(database: Database, seconds: float) -> int:
    """Choose the excerpts, and return the number of stored excerpts."""
    with database.app.begin() as connection:
        excerpts.choose(connection, seconds)
        count = connection.execute(text("SELECT count(*) FROM mirpipe.excerpt"))
        return int(count.scalar_one())


def test_the_middle_of_a_long_target_and_the_whole_of_a_short_one_are_chosen(
    fresh_database: Database, targets: dict[str, int]
) -> None:
    assert choose(fresh_database, 30.0) == 2
    expected = {"short": (0.0, 20.0, True), "long": (35.0, 30.0, False)}
    assert chosen(fresh_database, targets) == expected
    assert choose(fresh_database, 30.0) == 2
    assert chosen(fresh_database, targets) == expected


def test_another_length_gives_another_excerpt_and_keeps_the_old_one(
    fresh_database: Database, targets: dict[str, int]
) -> None:
    choose(fresh_database, 30.0)
    assert choose(fresh_database, 10.0) == 4
    assert chosen(fresh_database, targets) == {
        "short": (5.0, 10.0, False),
        "long": (45.0, 10.0, False),
    }
    assert choose(fresh_database, 30.0) == 4
    assert chosen(fresh_database, targets)["long"] == (35.0, 30.0, False)
