"""Postgres reads an array literal as the values that were written."""

import pytest
from sqlalchemy import text

from mirpipe.db.store.array_literals import array_literal


@pytest.mark.parametrize(
    ("type_name", "values"),
    [
        ("bigint", []),
        ("bigint", [-(2**63), None, 2**63 - 1]),
        ("double precision", [0.1, None, 5e-324, -1.7976931348623157e308, float("inf")]),
        (
            "text",
            [None, "NULL", "", 'a "quoted", {word}', "back\\slash", " 茉莉花\n", "it's :a %s"],
        ),
    ],
)
def test_the_database_reads_the_values_that_were_written(fresh_database, type_name, values):
    with fresh_database.app.connect() as connection:
        statement = text(f"SELECT CAST(:values AS {type_name}[])")
        parameters = {"values": array_literal(values)}
        assert connection.execute(statement, parameters).scalar_one() == values
