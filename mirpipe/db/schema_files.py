"""The SQL files in migrations/: which tables, functions, views and descriptions they define."""

import re
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path

from mirpipe.files.sha256 import sha256
from mirpipe.settings import PROJECT

MIGRATIONS = PROJECT / "migrations"
"""The folder with versions/, views/ and column_descriptions.toml."""
SHARED_DESCRIPTIONS = "column_descriptions.toml"
"""The file with descriptions of columns that occur in several tables or views."""

_CREATED = r"^CREATE (?:OR REPLACE )?{kind} (\w+)"
_DESCRIPTION = re.compile(r"^COMMENT ON \w+ ([\w.]+) IS '((?:[^']|'')*)';$", re.M)
_NOT_CODE = re.compile(r"--[^\n]*|'(?:[^']|'')*'|^COMMENT ON \w+ [\w.]+", re.M)


def view_files(folder: Path = MIGRATIONS) -> dict[str, str]:
    """Return the SQL of each view and function for readers, by name, in order of dependency.

    Each view comes after the views that it uses. A file is named after the view or function that it
    creates. It is assumed to use another view or function if its SQL contains that name. Raises
    graphlib.CycleError if two of them use each other.
    """
    sql = {path.stem: path.read_text() for path in sorted((folder / "views").glob("*.sql"))}
    words = {name: set(re.findall(r"\w+", _NOT_CODE.sub("", text))) for name, text in sql.items()}
    used = {name: sorted((words[name] & sql.keys()) - {name}) for name in sql}
    return {name: sql[name] for name in TopologicalSorter(used).static_order()}


def created(kind: str, sql: Iterable[str]) -> set[str]:
    """Return the names of all objects of one kind (TABLE or FUNCTION) that the SQL creates."""
    pattern = re.compile(_CREATED.format(kind=kind), re.M)
    return {name for text in sql for name in pattern.findall(text)}


def migration_sql(folder: Path = MIGRATIONS) -> list[str]:
    """Return the SQL of all migrations, in order."""
    return [path.read_text() for path in sorted((folder / "versions").glob("*.sql"))]


def descriptions(sql: Iterable[str]) -> dict[str, str]:
    """Return the text of each COMMENT ON, by the name of the schema, table, view or column.

    The name of a column is "table.column". If there are several texts for a name, the last one is
    returned.
    """
    found = (_DESCRIPTION.findall(text) for text in sql)
    return {name: text.replace("''", "'") for pairs in found for name, text in pairs}


def hashes(folder: Path = MIGRATIONS) -> dict[str, str]:
    """Return the SHA-256 (hex) of every file that defines views or descriptions, by path."""
    sql = [*folder.glob("versions/*.sql"), *folder.glob("views/*.sql")]
    paths = [folder / SHARED_DESCRIPTIONS, *sql]
    return {path.relative_to(folder).as_posix(): sha256(path).hex() for path in sorted(paths)}


def view_of(path: str) -> str | None:
    """Return the name of the view or function that this file creates, or None for other files."""
    return Path(path).stem if path.startswith("views/") else None
