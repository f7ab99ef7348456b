"""Tests get equal copies of a database that was filled once, whatever other tests did to theirs."""

from pathlib import Path

from sqlalchemy import text

from tests.support.databases import Database, DatabasePool
from tests.support.synthetic_library import SyntheticLibrary


def test_each_copy_is_like_the_first_and_has_its_own_engines(database_pool: DatabasePool) -> None:
    calls = []

    def write(database: Database, folder: Path) -> tuple[SyntheticLibrary, Path]:
        calls.append(database.name)
        library = SyntheticLibrary(database.app)
        library.add("target", "t", [1, 0, 0])
        (folder / "t.txt").write_text("t")
        return library, folder / "t.txt"

    for _ in range(3):
        with database_pool.database() as database:
            library, file = database_pool.fill(database, write)
            assert library.app is database.app
            assert library.rows("SELECT title FROM mirpipe.track") == [("t",)]
            assert file.read_text() == "t"
            library.execute("DELETE FROM mirpipe.track_file")
            library.add("target", "changed", [0, 1, 0])
            file.write_text("changed")
    assert len(calls) == 1


def test_a_copy_can_be_emptied_for_the_next_test(database_pool: DatabasePool) -> None:
    def write(database: Database, _: Path) -> None:
        SyntheticLibrary(database.app).add("target", "t", [1, 0, 0])

    for _ in range(2):
        with database_pool.database() as database:
            database_pool.fill(database, write)
    with database_pool.database() as empty, empty.app.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM mirpipe.track")).scalar_one() == 0
