"""Opens the bundled psql on any Postgres server."""

import os
from collections.abc import Sequence
from typing import NoReturn

from sqlalchemy import make_url

from mirpipe.postgres.installed_programs import programs_folder
from mirpipe.settings import child_environment


def replace_process_with_psql(url: str, arguments: Sequence[str]) -> NoReturn:
    """Replace this process with psql, which connects to `url` and receives `arguments`."""
    url_with_password = make_url(url)
    # Every user of the machine can see a process's arguments, but not its environment.
    password = url_with_password.password
    environment = {"PGPASSWORD": str(password)} if password else {}
    # `URL.set(password=None)` would keep the password.
    url_without_password = url_with_password._replace(password=None).render_as_string()
    command = ["psql", "--dbname", psql_url(url_without_password), *arguments]
    os.execve(
        programs_folder() / "psql", command, child_environment(without="PGPASSWORD", **environment)
    )


def psql_url(url: str) -> str:
    """Return the URL for psql and other clients, without the name of a Python driver."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
