"""Stores the passwords of the server logins in a pgpass file, which psql can read."""

import secrets
from collections.abc import Iterable
from pathlib import Path

from mirpipe.errors import DatabaseError
from mirpipe.files.durable_write import write_durably


def create_passwords(password_file: Path, logins: Iterable[str]) -> None:
    """Write a file with a new random password for each login, unless the file exists.

    Only its owner can read the file (mode 0600). After a crash, it is complete or does not exist.
    """
    if password_file.exists():
        return
    lines = [f"*:*:*:{login}:{secrets.token_urlsafe(24)}\n" for login in logins]
    write_durably(password_file, "".join(lines).encode(), mode=0o600)


def read_passwords(password_file: Path) -> dict[str, str]:
    """Return the password of each login in the file. Raises DatabaseError if there is no file."""
    try:
        lines = password_file.read_text().splitlines()
    except FileNotFoundError:
        raise DatabaseError(
            "The passwords of the embedded Postgres cannot be read: the file "
            f"{password_file} is missing. Restore it from a backup, or remove the folder "
            f"{password_file.parent} to start with an empty database."
        ) from None
    return {login: password for *_, login, password in (line.split(":") for line in lines)}
