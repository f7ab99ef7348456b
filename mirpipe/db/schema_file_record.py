"""The table schema_file, which records the files that views and descriptions were written from."""

from pathlib import Path

from sqlalchemy import Connection, text

from mirpipe.db.schema_files import MIGRATIONS, hashes, view_of

_EXISTS = text("SELECT to_regclass('mirpipe.schema_file') IS NOT NULL")
_READ = text("SELECT path, sha256 FROM mirpipe.schema_file")
_CLEAR = text("DELETE FROM mirpipe.schema_file")
_WRITE = text("INSERT INTO mirpipe.schema_file (path, sha256) VALUES (:path, :sha256)")
_EXISTING = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = to_regnamespace('mirpipe') AND relkind = 'v'
    UNION ALL
    SELECT proname FROM pg_proc WHERE pronamespace = to_regnamespace('mirpipe')
""")


def recorded(connection: Connection) -> dict[str, str]:
    """Return the recorded SHA-256 hashes by path. Empty if nothing has been recorded yet."""
    if not connection.execute(_EXISTS).scalar_one():
        return {}
    return {row.path: row.sha256 for row in connection.execute(_READ)}


def own_view_names(connection: Connection, folder: Path = MIGRATIONS) -> set[str]:
    """Return the names of mirpipe's views, and of its functions for readers.

    The names are those of the recorded files. Databases at revision 0010 have no record; in these,
    every view that has a file belongs to mirpipe.
    """
    files = recorded(connection) or hashes(folder)
    return {name for path in files if (name := view_of(path))}


def outdated_files(connection: Connection, folder: Path = MIGRATIONS) -> list[str]:
    """Return the sorted paths of the files that are not in effect in this database.

    These are files that were changed, added or removed after the last record, and files whose view
    does not exist.
    """
    before, now = recorded(connection), hashes(folder)
    existing = set(connection.execute(_EXISTING).scalars())
    changed = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
    missing = {path for path in now if (name := view_of(path)) and name not in existing}
    return sorted(changed | missing)


def record(connection: Connection, folder: Path = MIGRATIONS) -> None:
    """Record that the files in the folder are in effect."""
    connection.execute(_CLEAR)
    connection.execute(
        _WRITE, [{"path": path, "sha256": digest} for path, digest in hashes(folder).items()]
    )


def clear_record(connection: Connection) -> None:
    """Delete the record, so that the next migration writes views and descriptions again."""
    if connection.execute(_EXISTS).scalar_one():
        connection.execute(_CLEAR)
