"""Brings the schema up to date: tables by Alembic, then views and descriptions from their files."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text

from mirpipe.db.column_descriptions import write_descriptions
from mirpipe.db.engine import database_url, engine
from mirpipe.db.remove_schema import drop_statements
from mirpipe.db.replace_views import drop_views, drop_views_on, replace_views
from mirpipe.db.roles import LOGINS
from mirpipe.db.schema_file_record import clear_record, outdated_files, record
from mirpipe.db.schema_files import MIGRATIONS
from mirpipe.db.user_server import provision_user_server
from mirpipe.errors import DatabaseError
from mirpipe.settings import settings

VERSION_TABLE = "schema_version"
"""The table of the schema public in which Alembic stores the revision of the database."""

_WITHOUT_MIGRATION = {f"{number:04}" for number in range(1, 10)}
"""Revisions of development versions. Their migrations were merged into 0010."""
_LOCK = text("SELECT pg_advisory_lock(hashtextextended('mirpipe.migrate', 0))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended('mirpipe.migrate', 0))")


def migrate(*, folder: Path = MIGRATIONS) -> None:
    """Upgrade tables, views and descriptions to those in `folder`, in one transaction.

    Writes nothing if they are up to date. First creates the roles and the extension on a server of
    the user. A migration can name tables in `DROPS_VIEWS_ON`: our views on them are then dropped
    before the migration. Raises DatabaseError if the revision of the database is unknown, or if
    objects of a user depend on a view that must be dropped. Nothing is changed then.
    """
    provision_roles()
    with _locked_transaction() as connection:
        revision = _revision(connection)
        _require_known(revision, folder)
        scripts = _scripts(folder)
        pending = list(scripts.iterate_revisions("head", revision or "base"))
        if not pending and not outdated_files(connection, folder):
            return
        tables = {name for s in pending for name in getattr(s.module, "DROPS_VIEWS_ON", ())}
        dropped = drop_views_on(connection, tables, folder) if tables else []
        if pending:
            command.upgrade(_config(connection, folder), "head")
        replace_views(connection, folder, dropped=dropped)
        write_descriptions(connection, folder)
        record(connection, folder)


def provision_roles() -> None:
    """Create what migrations need on a server of the user. The embedded server has it already."""
    if settings().database_url is not None:
        logins = {LOGINS[role]: make_url(database_url(role)).username for role in ("app", "reader")}
        provision_user_server(database_url("owner"), logins=logins)


def downgrade(revision: str, *, folder: Path = MIGRATIONS) -> None:
    """Downgrade the tables to `revision`, or for `base` remove the schema with all its data.

    Other revisions are 0010 and later ones, or -1 for the previous one. A downgrade drops our
    views, with the privileges on them. `mirpipe db migrate` of the version that belongs to the
    revision creates its own views. Raises DatabaseError if objects of a user depend on what must
    be dropped. Nothing is changed then.
    """
    with _locked_transaction() as connection:
        target = _downgrade_target(_scripts(folder), _revision(connection), revision)
        if target == "base":
            for statement in drop_statements(connection, folder):
                connection.exec_driver_sql(statement)
            command.stamp(_config(connection, folder), "base", purge=True)
        else:
            drop_views(connection, folder)
            clear_record(connection)
            command.downgrade(_config(connection, folder), target)


def current() -> str | None:
    """Return the revision of the database, or None if it was never migrated."""
    with engine("owner").connect() as connection:
        return _revision(connection)


def head() -> str | None:
    """Return the newest revision that this mirpipe knows."""
    return _scripts(MIGRATIONS).get_current_head()


def unknown_revision(revision: str | None, *, folder: Path = MIGRATIONS) -> str | None:
    """Return why this mirpipe cannot upgrade from `revision`, and a remedy; None if it can.

    The revision None stands for an empty database.
    """
    known = {script.revision for script in _scripts(folder).walk_revisions()}
    if revision is None or revision in known:
        return None
    if revision in _WITHOUT_MIGRATION:
        return (
            f"The schema is at revision {revision}. This mirpipe upgrades from revision 0010 or "
            "later. First run `mirpipe db migrate` of the last development version that has the "
            "file migrations/versions/0009_comments.py. Or start with an empty database: set "
            "MIRPIPE_HOME to a new folder."
        )
    return (
        f"The schema is at revision {revision}, which this mirpipe does not know. The newest "
        f"revision that it knows is {head()}. Update mirpipe."
    )


def _require_known(revision: str | None, folder: Path) -> None:
    if problem := unknown_revision(revision, folder=folder):
        raise DatabaseError(problem)


def _downgrade_target(scripts: ScriptDirectory, at: str | None, revision: str) -> str:
    """Return the revision to go back to, or `base`. Raises DatabaseError if there is none."""
    if revision == "base" or at is None:
        return "base"
    _require_known(at, Path(scripts.dir))
    earlier = [script.revision for script in scripts.iterate_revisions(at, "base")] + ["base"]
    if re.fullmatch(r"-\d+", revision):
        return earlier[min(int(revision[1:]), len(earlier) - 1)]
    if revision in earlier:
        return revision
    raise DatabaseError(
        f"The schema cannot go back from revision {at} to {revision}. Possible are: "
        f"{', '.join(earlier)}."
    )


def _revision(connection: Connection) -> str | None:
    options = {"version_table": VERSION_TABLE, "version_table_schema": "public"}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _scripts(folder: Path) -> ScriptDirectory:
    return ScriptDirectory(str(folder))


@contextmanager
def _locked_transaction() -> Iterator[Connection]:
    """Open a transaction as the owner, while no other process migrates this database."""
    owner = engine("owner")
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        guard.execute(_LOCK)
        try:
            with owner.begin() as connection:
                yield connection
        finally:
            guard.execute(_UNLOCK)


def _config(connection: Connection, folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
