"""The error for a server that cannot be reached or that rejects a login."""

import psycopg2
from sqlalchemy import URL

from mirpipe.errors import DatabaseError


def connection_error(
    url: URL, setting: str | None, error: psycopg2.OperationalError
) -> DatabaseError:
    """Return the error with a remedy. The message omits the password.

    `setting` is the setting that contains the URL, or None for the embedded server.
    """
    cause = " ".join(str(error).split())
    if setting is None:
        remedy = "Start the embedded server with `mirpipe db up`."
    elif "FATAL:" in cause and setting == "MIRPIPE_SUPERUSER_URL":
        remedy = f"The server rejects this login. Correct the login and password in {setting}."
    elif "FATAL:" in cause:  # The server has answered.
        remedy = (
            f"Check the login, password and database in {setting}. If the server does not have "
            "them yet, run `mirpipe db provision`: it prints the SQL that creates them."
        )
    else:
        remedy = f"Check that the server is running and that host and port in {setting} are right."
    return DatabaseError(f"Cannot connect to {url} ({cause}). {remedy}")
