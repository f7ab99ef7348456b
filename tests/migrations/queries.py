"""Helper functions that run SQL as the owner of a test database."""

from sqlalchemy import text

from tests.support.databases import Database


def execute(database: Database, *statements: str) -> None:
    """Run the statements in one transaction."""
    with database.owner.begin() as owner:
        for statement in statements:
            owner.execute(text(statement))


def rows(database: Database, query: str) -> list[tuple]:
    """Return the rows that a query selects."""
    with database.owner.connect() as owner:
        return [tuple(row) for row in owner.execute(text(query))]
