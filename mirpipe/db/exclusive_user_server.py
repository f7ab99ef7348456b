"""Prepares a user's server that only mirpipe uses, with the superuser's URL.

The server gets the same roles, databases and grants as the embedded server.
"""

from collections.abc import Mapping

import psycopg2
from psycopg2 import extensions
from sqlalchemy import make_url

from mirpipe.db.engine import connection_error
from mirpipe.db.psql import psql_url
from mirpipe.db.roles import LOGINS, Role, create_roles_and_databases
from mirpipe.errors import ConfigurationError


def provision_exclusive_server(superuser_url: str, *, urls: Mapping[Role, str | None]) -> None:
    """Create all roles, databases and grants. It is safe to call this again, even after a kill.

    `urls` contains the URL that each role will use to connect. The roles receive the passwords in
    these URLs. Raises ConfigurationError if a URL is missing, has no password, or does not name the
    login and the database of its role.
    """
    passwords = {LOGINS[role]: _password(role, url) for role, url in urls.items()}
    superuser = make_url(superuser_url)

    def connect(database: str) -> extensions.connection:
        url = superuser.set(database=database)
        try:
            connection = psycopg2.connect(
                psql_url(url.render_as_string(hide_password=False)),
                application_name="mirpipe set-up",
                connect_timeout=10,
            )
        except psycopg2.OperationalError as error:
            raise connection_error(url, error) from error
        connection.autocommit = True
        return connection

    create_roles_and_databases(connect, passwords)


def _password(role: Role, role_url: str | None) -> str:
    """Return the password in the role's URL. Raises ConfigurationError if the URL is unsuitable."""
    url = make_url(role_url) if role_url else None
    login, database = LOGINS[role], "airflow" if role == "airflow" else "mirpipe"
    setting = {
        "owner": "MIRPIPE_OWNER_URL",
        "app": "MIRPIPE_DATABASE_URL",
        "reader": "MIRPIPE_READER_URL",
        "airflow": "MIRPIPE_AIRFLOW_DATABASE_URL",
    }[role]
    if url is None or not url.password:
        raise ConfigurationError(
            f"There is no URL with a password for {login}. Set {setting} to "
            f"postgresql://{login}:PASSWORD@host:port/{database}."
        )
    if (url.username, url.database) != (login, database):
        raise ConfigurationError(
            f"The URL {url} does not have the login {login} and the database {database}. "
            f"Correct {setting}."
        )
    return str(url.password)
