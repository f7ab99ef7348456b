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


def migrate_if_needed(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    database_url: str,
    log: Path,
    show: Callable[[str], None],
) -> None:
    """Run `airflow db migrate`, unless the installed Airflow has already migrated this database.

    The last migration is recorded in the file `migrated.json` in Airflow's folder. Raises
    MirpipeError if the migration fails.
    """
    record = airflow_home.folder(settings) / "migrated.json"
    installed = version("apache-airflow-core")
    current = {"airflow": installed, "revision": _schema_revision(database_url)}
    if current["revision"] and record.exists() and json.loads(record.read_text()) == current:
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
    record.write_text(json.dumps(current | {"revision": _schema_revision(database_url)}))
    show("Airflow's metadata database is migrated")


def _schema_revision(database_url: str) -> str | None:
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
