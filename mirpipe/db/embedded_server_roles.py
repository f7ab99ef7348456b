"""The embedded Postgres server, with mirpipe's roles, databases and grants."""

from collections.abc import Mapping
from pathlib import Path

from mirpipe.db.provision_sql import Statement, provision_statements, run_statements
from mirpipe.db.roles import LOGINS, accounts_of_embedded_server
from mirpipe.postgres.embedded import Connect, EmbeddedPostgres, Provisioning

_CLOSE_OTHER_DATABASES = Statement(
    "REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC"
)


def create_roles_and_databases(connect: Connect, passwords: Mapping[str, str]) -> None:
    """Create all roles, databases and grants. It is safe to call this again, even after a kill.

    `connect` opens an autocommit connection to a database as the superuser. `passwords` contains
    the password of each login.
    """
    statements = provision_statements(accounts_of_embedded_server(passwords))
    run_statements([_CLOSE_OTHER_DATABASES, *statements], connect)


PROVISIONING = Provisioning(
    logins=LOGINS,
    default_database="mirpipe",
    provision=create_roles_and_databases,
    version=3,
)


def embedded_server(
    home: Path, *, port: int | None = None, start_timeout: float = 120
) -> EmbeddedPostgres:
    """Return the server that belongs to `home`, without starting it.

    If `port` is given, the server also listens on 127.0.0.1. `start_timeout` is in seconds.
    """
    return EmbeddedPostgres(home, PROVISIONING, port=port, start_timeout=start_timeout)
