"""Postgres for `mirpipe up`: the embedded one, unless the settings name others."""

from collections.abc import Callable

from mirpipe.db.embedded_server import embedded_server
from mirpipe.db.engine import database_url
from mirpipe.db.migrate import migrate
from mirpipe.orchestration.server_processes import ServerDied, Servers
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import Settings

Say = Callable[[str], None]


def start_databases(settings: Settings, servers: Servers, *, say: Say) -> tuple[Settings, str]:
    """The settings for child processes and the URL of Airflow's metadata; the schema is migrated.

    Where this starts the embedded server, `servers` ends it. Children get its URLs, so that none
    that outlives us starts it again.
    """
    airflow_url = settings.airflow_database_url
    if settings.database_url is None or airflow_url is None:
        postgres = embedded_server(settings.home)
        servers.owns_postgres |= postgres.pid is None
        servers.remember()
        if servers.owns_postgres:
            servers.afterwards(postgres.down)
        postgres.up()
        servers.watch(lambda: _require_alive(postgres))
        airflow_url = airflow_url or postgres.url("airflow", "airflow")
        say("Postgres runs")
    migrate()
    say("the schema is up to date")
    if settings.database_url is None:
        urls = {"database_url": database_url("app"), "reader_url": database_url("reader")}
        settings = settings.model_copy(update=urls)
    return settings, airflow_url


def _require_alive(postgres: EmbeddedPostgres) -> None:
    if postgres.pid is None:
        raise ServerDied(f"Postgres ended by itself; its log lies in {postgres.place}")
