"""Reports on very small or unusual libraries can be made, and never contain NaN or infinity."""

import io
from collections.abc import Callable

import pytest
from sqlalchemy import text

from mirpipe.cli.result_tables import print_results
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

Libraries = tuple[SyntheticLibrary, SyntheticLibrary]


def add(libraries: Libraries, collection: str, name: str, *vector: float, **labels: str) -> None:
    """Add a track. Its vector by the second encoder is its first vector in reverse order."""
    first, second = libraries
    second.set_vector(first.add(collection, name, vector, labels=labels), vector[::-1])


def nothing(libraries: Libraries) -> None:
    pass


def only_references(libraries: Libraries) -> None:
    add(libraries, "reference", "east", 1, 0, 0, genre="folk")
    add(libraries, "reference", "north", 0, 1, 0, genre="folk")


def only_targets(libraries: Libraries) -> None:
    add(libraries, "target", "east", 1, 0, 0, genre="folk")
    add(libraries, "target", "north", 0, 1, 0)


def one_of_each(libraries: Libraries) -> None:
    add(libraries, "reference", "east", 1, 0, 0, genre="folk")
    add(libraries, "target", "north", 0, 1, 0, genre="folk")


def only_reference_is_the_target_itself(libraries: Libraries) -> None:
    add(libraries, "reference", "east", 1, 0, 0, genre="folk")
    add(libraries, "target", "east", 1, 0, 0, genre="folk")


def target_is_one_of_two_references(libraries: Libraries) -> None:
    add(libraries, "reference", "east", 1, 0, 0)
    add(libraries, "reference", "north", 0, 1, 0, genre="folk")
    add(libraries, "target", "east", 1, 0, 0, genre="folk")


def equal_vectors(libraries: Libraries) -> None:
    for number in range(12):
        add(libraries, "reference", f"reference {number}", 1, 2, 3, genre="folk")
    for number in range(3):
        add(libraries, "target", f"target {number}", 1, 2, 3, genre="folk")


def opposite_vectors(libraries: Libraries) -> None:
    for number in range(4):
        add(libraries, "reference", f"reference {number}", 0, 0, -1)
    add(libraries, "target", "target", 0, 0, 1)


def some_labels(libraries: Libraries) -> None:
    add(libraries, "reference", "east", 1, 0, 0, genre="folk")
    add(libraries, "reference", "north", 0, 1, 0, genre="")
    add(libraries, "reference", "up", 0, 0, 1)
    add(libraries, "target", "north-east", 1, 1, 0, genre="")
    add(libraries, "target", "up-east", 1, 0, 1)


FILLINGS = (
    *(nothing, only_references, only_targets, one_of_each, equal_vectors, opposite_vectors),
    *(only_reference_is_the_target_itself, target_is_one_of_two_references, some_labels),
)


def float_columns_by_view(database: Database) -> dict[str, list[str]]:
    """Return the names of the floating-point columns, by view."""
    query = text(r"""
        SELECT table_name, array_agg(column_name::text) AS columns FROM information_schema.columns
        WHERE table_schema = 'mirpipe' AND table_name LIKE 'v\_%'
            AND data_type IN ('double precision', 'real')
        GROUP BY table_name
    """)
    with database.reader.connect() as connection:
        return {row.table_name: row.columns for row in connection.execute(query)}


@pytest.mark.parametrize("fill", FILLINGS, ids=lambda fill: fill.__name__)
def test_undefined_numbers_are_null_and_the_results_can_be_printed(
    fresh_database: Database, fill: Callable[[Libraries], None]
) -> None:
    libraries = (
        SyntheticLibrary(fresh_database.app, name="first"),
        SyntheticLibrary(fresh_database.app, name="second"),
    )
    fill(libraries)
    retrieve()
    report(trigger="test")
    not_finite = []
    with fresh_database.reader.connect() as connection:
        for view, columns in float_columns_by_view(fresh_database).items():
            for column in columns:
                query = text(
                    f"SELECT count(*) FROM mirpipe.{view} "
                    f"WHERE {column} IN ('NaN', 'Infinity', '-Infinity')"
                )
                if connection.execute(query).scalar_one():
                    not_finite.append(f"{view}.{column}")
    assert not_finite == []
    printed = io.StringIO()
    print_results(printed)
    assert printed.getvalue()
    assert "nan" not in printed.getvalue()
    assert not report(trigger="again").changed
