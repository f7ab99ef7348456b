"""mirpipe's roles, and the accounts that they use on a server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["owner", "app", "reader", "listener", "airflow"]

LOGINS: dict[str, str] = {
    "owner": "mirpipe_owner",
    "app": "mirpipe_app",
    "reader": "mirpipe_read",
    "listener": "mirpipe_listener",
    "airflow": "airflow",
}
"""Login per role on the embedded server. A user's server can have other logins."""
GROUPS = {"app": "mirpipe_app", "reader": "mirpipe_read", "listener": "mirpipe_listener"}
"""Database roles with the privileges of app, reader and listener, granted to other logins."""


@dataclass(frozen=True)
class Account:
    """How a role connects to its database."""

    login: str
    password: str | None
    """None if the login connects without a password, or with one that mirpipe does not know."""
    database: str


def accounts_of_embedded_server(passwords: Mapping[str, str]) -> dict[Role, Account]:
    """Return the account of each role on the embedded server. `passwords` has one per login."""
    return {
        role: Account(
            LOGINS[role], passwords[LOGINS[role]], "airflow" if role == "airflow" else "mirpipe"
        )
        for role in ("owner", "app", "reader", "listener", "airflow")
    }
