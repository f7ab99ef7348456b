"""The passwords of the embedded server's logins: a pgpass file, which psql reads as it is."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from mirpipe.errors import DatabaseError
from mirpipe.files.durable_write import sync_folder


def make_passwords(passfile: Path, logins: Iterable[str]) -> None:
    """Write `passfile`, mode 0600, with a new password a login, unless it is there."""
    if passfile.exists():
        return
    new = passfile.with_name(f"{passfile.name}.new")
    new.unlink(missing_ok=True)
    lines = [f"*:*:*:{login}:{secrets.token_urlsafe(24)}\n" for login in logins]
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    new.rename(passfile)
    sync_folder(passfile.parent)


def passwords(passfile: Path) -> dict[str, str]:
    """The password of every login in `passfile`."""
    try:
        lines = passfile.read_text().splitlines()
    except FileNotFoundError:
        raise DatabaseError(
            f"the passwords of the embedded Postgres are gone: {passfile} is missing; restore it, "
            f"or remove {passfile.parent} to begin with an empty database"
        ) from None
    return {login: password for *_, login, password in (line.split(":") for line in lines)}
