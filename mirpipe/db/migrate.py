"""Updates the schema: first the tables with Alembic, then views and descriptions from files."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from mirpipe.db.column_descriptions import write_descriptions
from mirpipe.db.engine import engine
from mirpipe.db.remove_schema import drop_statements
from mirpipe.db.replace_views import drop_views, drop_views_on, replace_views
from mirpipe.db.schema_file_record import clear_record, outdated_files, record
from mirpipe.db.schema_files import MIGRATIONS
from mirpipe.db.user_server import require_provisioned
from mirpipe.errors import DatabaseError
from mirpipe.settings import settings

VERSION_TABLE = "schema_version"
"""Table in the schema public where Alembic stores the database revision."""
CREATE_VERSION_TABLE = f"""
    CREATE TABLE IF NOT EXISTS public.{VERSION_TABLE} (
        version_num varchar(32) CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY)
"""
"""SQL that creates this table as Alembic would."""

_WITHOUT_MIGRATION = {f"{number:04}" for number in range(1, 10)}
"""Revisions of development versions, whose migrations were merged into 0010."""
_CAN_READ = text(f"""
    SELECT coalesce(has_table_privilege(to_regclass('public.{VERSION_TABLE}'), 'SELECT'), true)
""")
_HAS_VERSION_TABLE = text(f"SELECT to_regclass('public.{VERSION_TABLE}') IS NOT NULL")
# Postgres holds the lock until the transaction ends. Readers have no privileges on this table.
_LOCK = text(f"LOCK TABLE public.{VERSION_TABLE} IN EXCLUSIVE MODE")


def migrate(*, folder: Path = MIGRATIONS) -> None:
    """Upgrade tables, views and descriptions to those in `folder`, in one transaction.

    Writes nothing if they are up to date. On a user's server, first creates the roles and the
    extension. A migration can name tables in `DROPS_VIEWS_ON`; the views on these tables are
    dropped before the migration, and created again after it. Raises DatabaseError, and changes
    nothing, if the database revision is unknown, if a user's view cannot be created again, or if
    other objects of users depend on a view that must be dropped.
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
        dropped = drop_views_on(connection, tables, folder)
        if pending:
            command.upgrade(_config(connection, folder), "head")
        replace_views(connection, folder, dropped=dropped)
        write_descriptions(connection, folder)
        record(connection, folder)


def provision_roles() -> None:
    """Check that a user's server has what the migrations need. The embedded server has it.

    Raises DatabaseError if something is missing that the owner cannot create.
    """
    if settings().database_url is not None:
        require_provisioned()


def downgrade(revision: str, *, folder: Path = MIGRATIONS) -> None:
    """Downgrade the tables to `revision`. If it is `base`, remove the schema with all its data.

    The revision can also be 0010 or later, or -1 for the previous revision. A downgrade drops
    mirpipe's views and the privileges on them. After that, `mirpipe db migrate` of the version that
    belongs to the revision creates the views of that version. Raises DatabaseError, and changes
    nothing, if a user's objects depend on what must be dropped.
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


def can_read_revision() -> bool:
    """Return whether this process may read the database revision.

    A process without the owner's login may not, such as a worker on a user's server.
    """
    with engine("owner").connect() as connection:
        return bool(connection.execute(_CAN_READ).scalar_one())


def current() -> str | None:
    """Return the database revision, or None if the database was never migrated."""
    with engine("owner").connect() as connection:
        return _revision(connection)


def head() -> str | None:
    """Return the newest revision in this version of mirpipe."""
    return _scripts(MIGRATIONS).get_current_head()


def unknown_revision(revision: str | None, *, folder: Path = MIGRATIONS) -> str | None:
    """Return a message if this version of mirpipe cannot upgrade from `revision`, otherwise None.

    The message contains the reason and a remedy. `revision` is None for an empty database.
    """
    known = {script.revision for script in _scripts(folder).walk_revisions()}
    if revision is None or revision in known:
        return None
    if revision in _WITHOUT_MIGRATION:
        return (
            f"The schema is at revision {revision}. This version of mirpipe can upgrade from "
            "revision 0010 or later. First run `mirpipe db migrate` of the last development "
            "version that has the file migrations/versions/0009_comments.py. Alternatively, set "
            "MIRPIPE_HOME to a new folder to start with an empty database."
        )
    return (
        f"The schema is at revision {revision}, which this version of mirpipe does not support. "
        f"The newest revision that it supports is {head()}. Update mirpipe."
    )


def _require_known(revision: str | None, folder: Path) -> None:
    if problem := unknown_revision(revision, folder=folder):
        raise DatabaseError(problem)


def _downgrade_target(scripts: ScriptDirectory, at: str | None, revision: str) -> str:
    """Return the revision to downgrade to, or `base`. Raises DatabaseError if it does not exist."""
    if revision == "base" or at is None:
        return "base"
    _require_known(at, Path(scripts.dir))
    earlier = [script.revision for script in scripts.iterate_revisions(at, "base")] + ["base"]
    if re.fullmatch(r"-\d+", revision):
        return earlier[min(int(revision[1:]), len(earlier) - 1)]
    if revision in earlier:
        return revision
    raise DatabaseError(
        f"The schema cannot be downgraded from revision {at} to {revision}. Possible revisions: "
        f"{', '.join(earlier)}."
    )


def _revision(connection: Connection) -> str | None:
    options = {"version_table": VERSION_TABLE, "version_table_schema": "public"}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _scripts(folder: Path) -> ScriptDirectory:
    return ScriptDirectory(str(folder))


@contextmanager
def _locked_transaction() -> Iterator[Connection]:
    """Open a transaction as the owner, and keep other processes from migrating this database."""
    owner = engine("owner")
    _create_version_table(owner)
    with owner.begin() as connection:
        connection.execute(_LOCK)
        yield connection


def _create_version_table(owner: Engine) -> None:
    """Create the table if it is missing, in a transaction of its own."""
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(_HAS_VERSION_TABLE).scalar_one():
            # If another process creates the table at the same time, Postgres reports a duplicate.
            with suppress(IntegrityError):
                connection.execute(text(CREATE_VERSION_TABLE))


def _config(connection: Connection, folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
