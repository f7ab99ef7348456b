"""The embedded Postgres server with the roles, databases and grants of mirpipe."""

from pathlib import Path

from mirpipe.db.roles import LOGINS, provision_embedded
from mirpipe.postgres.embedded import EmbeddedPostgres, Provisioning

PROVISIONING = Provisioning(
    logins=LOGINS,
    default_database="mirpipe",
    provision=provision_embedded,
    version=1,
)


def embedded_server(
    home: Path, *, port: int | None = None, start_timeout: float = 120
) -> EmbeddedPostgres:
    """Return the server that belongs to `home`, running or not.

    `port` asks for 127.0.0.1:port beside the socket; `start_timeout` is in seconds.
    """
    return EmbeddedPostgres(home, PROVISIONING, port=port, start_timeout=start_timeout)
