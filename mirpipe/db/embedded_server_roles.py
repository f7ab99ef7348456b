"""The embedded Postgres server, with mirpipe's roles, databases and grants."""

from pathlib import Path

from mirpipe.db.roles import LOGINS, create_roles_and_databases
from mirpipe.postgres.embedded import EmbeddedPostgres, Provisioning

PROVISIONING = Provisioning(
    logins=LOGINS,
    default_database="mirpipe",
    provision=create_roles_and_databases,
    version=1,
)


def embedded_server(
    home: Path, *, port: int | None = None, start_timeout: float = 120
) -> EmbeddedPostgres:
    """Return the server that belongs to `home`, without starting it.

    If `port` is given, the server also listens on 127.0.0.1. `start_timeout` is in seconds.
    """
    return EmbeddedPostgres(home, PROVISIONING, port=port, start_timeout=start_timeout)
