"""Carries settings that were made with ALTER SYSTEM over to a cluster of a newer version."""

from collections.abc import Mapping
from pathlib import Path

from psycopg2 import extensions

_FILE = "postgresql.auto.conf"
_IN_FILE = f"""
    SELECT name, setting FROM pg_file_settings
    WHERE sourcefile LIKE '%/{_FILE}' AND name IS NOT NULL ORDER BY seqno
"""
# A setting with a dot in its name belongs to an extension, which need not be loaded.
_KNOWN = """
    SELECT name FROM unnest(%s) AS name
    WHERE name LIKE '%%.%%' OR current_setting(name, true) IS NOT NULL
"""


def settings_in_file(connection: extensions.connection) -> dict[str, str]:
    """Return the settings that ALTER SYSTEM has stored on the server, by name."""
    with connection.cursor() as sql:
        sql.execute(_IN_FILE)
        return dict(sql.fetchall())


def unknown_settings(connection: extensions.connection, settings: Mapping[str, str]) -> list[str]:
    """Return the names of the settings that the server does not have."""
    with connection.cursor() as sql:
        sql.execute(_KNOWN, (list(settings),))
        known = {name for (name,) in sql.fetchall()}
    return [name for name in settings if name not in known]


def append_settings(data: Path, settings: Mapping[str, str]) -> None:
    """Store the settings in a data folder whose server is not running."""
    escaped = {name: value.replace("'", "''") for name, value in settings.items()}
    lines = [f"{name} = '{value}'\n" for name, value in escaped.items()]
    with (data / _FILE).open("a") as file:
        file.writelines(lines)
