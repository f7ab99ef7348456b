"""A complete Airflow on this machine: scheduler, API server and DAG processor, LocalExecutor."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from mirpipe.errors import MirpipeError
from mirpipe.orchestration import airflow_home
from mirpipe.orchestration.airflow_rest_client import AirflowClient, wait_for
from mirpipe.orchestration.pools import pools
from mirpipe.orchestration.server_processes import Servers
from mirpipe.settings import Settings

API_SERVER, SCHEDULER, DAG_PROCESSOR = "api-server", "scheduler", "dag-processor"
START_SECONDS = 300

Say = Callable[[str], None]


def start_airflow(
    settings: Settings, servers: Servers, *, database_url: str, say: Say
) -> AirflowClient:
    """A client of a running Airflow that has all its pools; `servers` ends it."""
    port = servers.free_port(settings.airflow_port)
    environment = airflow_home.environment(settings, database_url=database_url, port=port)
    # the API server takes longest to load and does not touch the database while it does
    servers.start(API_SERVER, _airflow("api-server"), environment)
    migrate(settings, environment, database_url=database_url, log=servers.log("migrate"), say=say)
    servers.start(SCHEDULER, _airflow("scheduler", "--skip-serve-logs"), environment)
    servers.start(DAG_PROCESSOR, _airflow("dag-processor"), environment)
    client = AirflowClient(
        f"http://127.0.0.1:{port}",
        user=airflow_home.ADMIN,
        password=airflow_home.admin_password(settings),
    )
    wait_for(
        client.healthy, seconds=START_SECONDS, what="Airflow's start", alive=servers.require_alive
    )
    client.make_pools(pools())
    say(f"Airflow runs at {client.url}")
    return client


def migrate(
    settings: Settings, environment: Mapping[str, str], *, database_url: str, log: Path, say: Say
) -> None:
    """Brings Airflow's metadata to the installed version; cheap where they are there already."""
    stamp = airflow_home.folder(settings) / "migrated.json"
    installed = version("apache-airflow-core")
    present = {"airflow": installed, "revision": _revision(database_url)}
    if present["revision"] and stamp.exists() and json.loads(stamp.read_text()) == present:
        return
    with log.open("wb") as output:
        ended = subprocess.run(
            _airflow("db", "migrate"), env=environment, stdout=output, stderr=output, check=False
        )
    if ended.returncode:
        raise MirpipeError(f"Airflow's metadata could not be migrated: see {log}")
    stamp.write_text(json.dumps(present | {"revision": _revision(database_url)}))
    say("Airflow's metadata migrated")


def _airflow(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "airflow", *arguments]


def _revision(database_url: str) -> str | None:
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
