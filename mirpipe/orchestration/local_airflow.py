"""Start a complete Airflow on this machine: API server, scheduler and DAG processor."""

from collections.abc import Callable

from mirpipe.orchestration import airflow_home
from mirpipe.orchestration.airflow_cli import airflow_command
from mirpipe.orchestration.airflow_migration import migrate_if_needed
from mirpipe.orchestration.airflow_rest_client import AirflowClient
from mirpipe.orchestration.polling import wait_until
from mirpipe.orchestration.pools import pool_slots
from mirpipe.orchestration.server_address import local_url
from mirpipe.orchestration.server_processes import Servers
from mirpipe.settings import Settings

API_SERVER, SCHEDULER, DAG_PROCESSOR = "api-server", "scheduler", "dag-processor"
START_SECONDS = 900


def start_airflow(
    settings: Settings, servers: Servers, *, database_url: str, show: Callable[[str], None]
) -> AirflowClient:
    """Start Airflow's servers, wait until they are healthy, set the pools, and return a client.

    `servers` stops Airflow's servers when its context ends. `database_url` is the URL of Airflow's
    metadata database. Raises MirpipeError if Airflow is not healthy within 900 s.
    """
    port = servers.reserve_port(settings.airflow_port, bind=settings.bind)
    environment = airflow_home.environment(settings, database_url=database_url, port=port)
    # The API server takes several seconds to load before it uses the database, so it is started
    # before the migration. It stops at once, but then its process takes 3 s to free its memory.
    servers.start(API_SERVER, airflow_command("api-server"), environment, stop_seconds=1)
    migrate_if_needed(
        settings, environment, database_url=database_url, log=servers.log("migrate"), show=show
    )
    servers.start(SCHEDULER, airflow_command("scheduler", "--skip-serve-logs"), environment)
    servers.start(DAG_PROCESSOR, airflow_command("dag-processor"), environment)
    client = AirflowClient(
        local_url(settings.bind, port),
        user=airflow_home.ADMIN,
        password=airflow_home.admin_password(settings),
    )
    wait_until(
        client.is_healthy,
        seconds=START_SECONDS,
        problem="Airflow did not start",
        require_alive=servers.require_alive,
    )
    client.set_pools(pool_slots())
    show(f"Airflow is running at {client.url}")
    return client
