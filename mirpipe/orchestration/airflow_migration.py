"""Migrate Airflow's metadata database to the schema of the installed Airflow."""

import json
import subprocess
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

# Airflow's only public schema check, `airflow db check-migrations`, takes seconds to start.
# Therefore, this module reads the revision that Airflow's migration tool, Alembic, stores in the
# database.
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from mirpipe.errors import MirpipeError
from mirpipe.orchestration import airflow_home
from mirpipe.orchestration.airflow_cli import airflow_command
from mirpipe.settings import Settings

_FAB_PROVIDER = "apache-airflow-providers-fab"


def migrate_if_needed(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    database_url: str,
    log: Path,
    show: Callable[[str], None],
) -> None:
    """Run `airflow db migrate`, unless the installed Airflow has already migrated this database.

    Raises MirpipeError if the migration fails.
    """
    if is_migrated(settings, database_url):
        return
    with log.open("wb") as output:
        process = subprocess.run(
            airflow_command("db", "migrate"),
            env=environment,
            stdout=output,
            stderr=output,
            check=False,
        )
    if process.returncode:
        raise MirpipeError(
            f"The migration of Airflow's metadata database failed. Its log is {log}."
        )
    record_migration(settings, database_url)
    show("Airflow's metadata database is migrated")


def is_migrated(settings: Settings, database_url: str) -> bool:
    """Return whether the installed Airflow was the last that migrated this database."""
    record, current = _record(settings), _current(database_url)
    return (
        current["revision"] is not None
        and record.exists()
        and json.loads(record.read_text()) == current
    )


def record_migration(settings: Settings, database_url: str) -> None:
    """Record that the installed Airflow has migrated this database.

    The record is the file `migrated.json` in Airflow's folder, which must exist.
    """
    _record(settings).write_text(json.dumps(_current(database_url)))


def _record(settings: Settings) -> Path:
    return airflow_home.folder(settings) / "migrated.json"


def _current(database_url: str) -> dict[str, str | None]:
    # The FAB provider has tables of its own, which the same command migrates.
    installed = {name: version(name) for name in ("apache-airflow-core", _FAB_PROVIDER)}
    return {**installed, "revision": _schema_revision(database_url)}


def _schema_revision(database_url: str) -> str | None:
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
