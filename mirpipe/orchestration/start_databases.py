"""Start and migrate the databases for `mirpipe up`.

The embedded Postgres is started unless the settings contain the URLs of other servers.
"""

from collections.abc import Callable

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.engine import database_url
from mirpipe.db.migrate import migrate
from mirpipe.orchestration.server_processes import ServerDied, Servers
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import Settings


def start_databases(
    settings: Settings, servers: Servers, *, show: Callable[[str], None]
) -> tuple[Settings, str]:
    """Start Postgres if needed, migrate mirpipe's schema, and return the settings and a URL.

    The returned settings contain the URLs of the running database. Child processes receive these
    URLs, so that a child process that runs longer than this process does not start the embedded
    server again. The returned URL is that of Airflow's metadata database, which the settings
    contain, too. If this function starts the embedded server, `servers` stops it when its context
    ends.
    """
    airflow_url = settings.airflow_database_url
    if settings.database_url is None or airflow_url is None:
        postgres = embedded_server(settings.home)
        servers.owns_postgres |= postgres.pid is None
        servers.write_record()
        if servers.owns_postgres:
            servers.run_after_stop(postgres.down)
        postgres.up()
        servers.add_check(lambda: _require_alive(postgres))
        airflow_url = airflow_url or postgres.url("airflow", "airflow")
        show("Postgres is running")
    migrate()
    show("the schema is up to date")
    urls = {"airflow_database_url": airflow_url}
    if settings.database_url is None:
        urls |= {"database_url": database_url("app"), "reader_url": database_url("reader")}
    settings = settings.model_copy(update=urls)
    return settings, airflow_url


def _require_alive(postgres: EmbeddedPostgres) -> None:
    if postgres.pid is None:
        raise ServerDied(
            f"Postgres ended by itself. Its log is in {postgres.cluster_folder}. Run the command "
            "again."
        )
