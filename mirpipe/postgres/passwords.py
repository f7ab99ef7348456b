"""Stores the passwords of the server's logins in a pgpass file, which psql can read."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from mirpipe.errors import DatabaseError
from mirpipe.files.durable_write import sync_folder


def create_passwords(password_file: Path, logins: Iterable[str]) -> None:
    """Write a file with a new random password for each login, unless the file exists.

    Only its owner can read the file (mode 0600). It is complete or does not exist.
    """
    if password_file.exists():
        return
    new = password_file.with_name(f"{password_file.name}.new")
    new.unlink(missing_ok=True)
    lines = [f"*:*:*:{login}:{secrets.token_urlsafe(24)}\n" for login in logins]
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    new.rename(password_file)
    sync_folder(password_file.parent)


def read_passwords(password_file: Path) -> dict[str, str]:
    """Return the password of each login in the file. Raises DatabaseError if it is missing."""
    try:
        lines = password_file.read_text().splitlines()
    except FileNotFoundError:
        raise DatabaseError(
            "The passwords of the embedded Postgres cannot be read: the file "
            f"{password_file} is missing. Restore it from a backup, or remove the folder "
            f"{password_file.parent} to start with an empty database."
        ) from None
    return {login: password for *_, login, password in (line.split(":") for line in lines)}
