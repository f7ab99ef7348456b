"""Stores the passwords of the server logins in a pgpass file, which psql can read."""

import secrets
from collections.abc import Iterable
from pathlib import Path

from mirpipe.errors import DatabaseError
from mirpipe.files.durable_write import write_durably


def create_passwords(password_file: Path, logins: Iterable[str]) -> None:
    """Write a file with a random password for each login. Passwords in an existing file are kept.

    Only its owner can read the file (mode 0600). After a crash, it is complete or as before.
    """
    known = read_passwords(password_file) if password_file.exists() else {}
    missing = [login for login in logins if login not in known]
    if not missing:
        return
    passwords = known | {login: secrets.token_urlsafe(24) for login in missing}
    lines = [f"*:*:*:{login}:{password}\n" for login, password in passwords.items()]
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
