"""Opens the bundled psql on any server."""

import os
from collections.abc import Sequence
from typing import NoReturn

from sqlalchemy import make_url

from mirpipe.postgres.binaries import installed
from mirpipe.settings import child_environment


def become_psql(url: str, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by psql, connected to `url`; `arguments` are psql's own."""
    whole = make_url(url)
    # the password goes by environment: anybody may list the arguments of a process
    secret = {"PGPASSWORD": str(whole.password)} if whole.password else {}
    bare = whole._replace(password=None).render_as_string()  # `set` takes None for "as it is"
    command = ["psql", "--dbname", psql_url(bare), *arguments]
    os.execve(installed() / "psql", command, child_environment(without="PGPASSWORD", **secret))


def psql_url(url: str) -> str:
    """`url` as psql and every other client write it: with no driver in its scheme."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
