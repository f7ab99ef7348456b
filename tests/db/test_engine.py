"""Engines: which server and which role, by the settings."""

from sqlalchemy import text

from tests.conftest import Database


def test_each_role_finds_the_database_of_the_settings(fresh_database: Database) -> None:
    for engine, login in (
        (fresh_database.owner, "mirpipe_owner"),
        (fresh_database.app, "mirpipe_app"),
        (fresh_database.reader, "mirpipe_read"),
    ):
        with engine.connect() as link:
            found = link.execute(text("SELECT current_user, current_database()")).one()
        assert found == (login, fresh_database.name)
