"""Connects to a running server as its superuser, through the Unix socket."""

import psycopg2
from psycopg2 import extensions

from mirpipe.errors import DatabaseError
from mirpipe.postgres.create_cluster import SUPERUSER
from mirpipe.postgres.server_files import ServerFiles
from mirpipe.postgres.server_liveness import RunningServer, running_server


def require_running(files: ServerFiles) -> RunningServer:
    """Return the running server. Raises DatabaseError if there is none."""
    if server := running_server(files.data):
        return server
    raise DatabaseError("The embedded Postgres is not running. Start it with `mirpipe db up`.")


def superuser_connection(
    files: ServerFiles, database: str, *, password: str
) -> extensions.connection:
    """Return an autocommit connection to the database.

    Raises DatabaseError if the server is not running or does not accept the connection.
    """
    server = require_running(files)
    try:
        connection = psycopg2.connect(
            host=str(server.socket),
            port=server.port,
            user=SUPERUSER,
            password=password,
            dbname=database,
            application_name="mirpipe set-up",
            connect_timeout=10,
        )
    except psycopg2.OperationalError as error:
        cause = str(error).strip()
        raise DatabaseError(
            f"Cannot connect to the embedded Postgres ({cause}). Run the command again. If "
            f"that does not help, look for the cause in {files.cluster / 'log'}."
        ) from error
    connection.autocommit = True
    return connection
