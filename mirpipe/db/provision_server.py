"""Prepares a server that is mirpipe's alone, as its superuser: what the embedded server gets."""

from collections.abc import Mapping

import psycopg2
from psycopg2.extensions import connection
from sqlalchemy import URL, make_url

from mirpipe.db.engine import unreachable
from mirpipe.db.psql import psql_url
from mirpipe.db.roles import LOGINS, Role, provision_embedded
from mirpipe.errors import ConfigurationError


def provision_server(superuser_url: str, *, urls: Mapping[Role, str | None]) -> None:
    """Have every role, database and grant on the server; safe to run again, and after a kill.

    `urls` says as whom mirpipe and Airflow will come, and so holds each role's password. Raises
    ConfigurationError where one names another login or database than mirpipe's own.
    """
    passwords = {LOGINS[role]: _password(role, url) for role, url in urls.items()}
    superuser = make_url(superuser_url)

    def connect(database: str) -> connection:
        url = superuser.set(database=database)
        written = psql_url(url.render_as_string(hide_password=False))
        try:
            link = psycopg2.connect(written, application_name="mirpipe set-up", connect_timeout=10)
        except psycopg2.OperationalError as error:
            raise unreachable(url, error) from error
        link.autocommit = True
        return link

    provision_embedded(connect, passwords)


def _password(role: Role, url: str | None) -> str:
    asked: URL | None = make_url(url) if url else None
    database = "airflow" if role == "airflow" else "mirpipe"
    if asked is None or not asked.password:
        raise ConfigurationError(f"there is no URL with a password for {LOGINS[role]}")
    if (asked.username, asked.database) != (LOGINS[role], database):
        raise ConfigurationError(
            f"{asked} should be {LOGINS[role]}'s and name the database {database}"
        )
    return str(asked.password)
