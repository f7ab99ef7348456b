"""Brings the schema to a revision, by Alembic, as the owner."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text

from mirpipe.db.engine import database_url, engine
from mirpipe.db.roles import LOGINS
from mirpipe.db.user_server import provision
from mirpipe.settings import PROJECT, settings

VERSION_TABLE = "schema_version"


def migrate(revision: str = "head") -> None:
    """Upgrade to `revision`; on a server of the user's, make first what the migrations need."""
    provision_roles()
    with _alone() as config:
        command.upgrade(config, revision)


def provision_roles() -> None:
    """Make what the migrations need on a server of the user's; the embedded one has it."""
    if settings().database_url is not None:
        logins = {LOGINS[role]: make_url(database_url(role)).username for role in ("app", "reader")}
        provision(database_url("owner"), logins=logins)


def downgrade(revision: str) -> None:
    """Go back to `revision`; `base` removes every table of mirpipe and all they hold."""
    with _alone() as config:
        command.downgrade(config, revision)


def current() -> str | None:
    """The revision that the database is at, None where it was never migrated."""
    with engine("owner").connect() as link:
        context = MigrationContext.configure(link, opts={"version_table": VERSION_TABLE})
        return context.get_current_revision()


def head() -> str | None:
    """The newest revision that this mirpipe knows."""
    return _scripts().get_current_head()


def knows(revision: str) -> bool:
    """Whether there is a migration to `revision`."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(PROJECT / "migrations"))


@contextmanager
def _alone() -> Iterator[Config]:
    """Alembic's configuration, while no other process migrates this database."""
    owner = engine("owner")
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        guard.execute(text("SELECT pg_advisory_lock(hashtextextended('mirpipe.migrate', 0))"))
        with owner.connect() as link:
            yield _config(link)
        guard.execute(text("SELECT pg_advisory_unlock(hashtextextended('mirpipe.migrate', 0))"))


def _config(link: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "migrations").replace("%", "%%"))
    config.attributes["connection"] = link
    return config
