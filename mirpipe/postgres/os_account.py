"""Chooses the account that Postgres runs as, and runs commands as that account.

Postgres refuses to run as root. If this process is root, Postgres runs as an unprivileged account.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirpipe.errors import DatabaseError

SHARED_FOLDER = Path("/var/lib/mirpipe")
"""Folder for files that the unprivileged account must read but cannot reach elsewhere."""

_UNPRIVILEGED_NAMES = ("postgres", "nobody")
# The caller's environment is not passed on, because its PG* variables could name another server.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Account:
    """A user account on this machine that Postgres runs as."""

    name: str
    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """Return the account that Postgres must run as, or None if this process is not root.

    If the data folder exists, the account is the owner of that folder. Raises DatabaseError if root
    owns the data folder, or if this machine has no unprivileged account for Postgres.
    """
    if os.geteuid() != 0:
        return None
    if data.exists():
        owner = data.stat()
        if owner.st_uid == 0:
            raise DatabaseError(
                f"The folder {data} belongs to root, but Postgres refuses to run as root. "
                f"Run `chown -R postgres {data}`."
            )
        return Account(f"number {owner.st_uid}", owner.st_uid, owner.st_gid)
    for name in _UNPRIVILEGED_NAMES:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, user.pw_uid, user.pw_gid)
    raise DatabaseError(
        "Postgres refuses to run as root, and this machine has no user `postgres` or `nobody` to "
        "run it as. Run mirpipe as another user, or set MIRPIPE_DATABASE_URL to a server that has "
        "pgvector."
    )


def require_account(cluster: Path) -> Account | None:
    """Return the account for the server in the folder `cluster`.

    Returns None if this process is not root.
    Raises DatabaseError in the same cases as `server_account`, and if the account cannot reach the
    folder.
    """
    account = server_account(cluster / "data")
    if account and not can_reach_folder(account, cluster):
        raise DatabaseError(
            f"Postgres does not run as root, and user {account.name} cannot reach {cluster}. "
            "Run `chmod o+x` on the folders above it, or run mirpipe as that user."
        )
    return account


def run_as_account(
    account: Account | None,
    command: Sequence[str | Path],
    *,
    cwd: Path = Path("/"),
    environment: dict[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a command as `account`, or as the current user if `account` is None. Return the result.

    The command runs in its own session. `stdout` of the result contains standard output and
    standard error. The exit status is 126 if the account is not allowed to execute the program.
    """
    user_arguments: dict[str, Any] = {}
    if account is not None:
        user_arguments = {"user": account.uid, "group": account.gid, "extra_groups": []}
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=_ENVIRONMENT | (environment or {}),
            cwd=cwd,
            pass_fds=pass_fds,
            start_new_session=True,  # Ctrl-C in the caller's terminal must not stop Postgres.
            **user_arguments,
        )
    except PermissionError as error:
        return subprocess.CompletedProcess(command, 126, str(error))


def can_reach_folder(account: Account | None, folder: Path) -> bool:
    """Return whether `account` has permission to enter `folder` and every folder above it."""
    command: list[str | Path] = ["/bin/sh", "-c", 'test -x "$1"', "sh", folder]
    return run_as_account(account, command).returncode == 0


def change_owner(path: Path, account: Account | None) -> None:
    """Make `account` the owner of a file or folder. Do nothing if `account` is None."""
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def create_readable_folder(path: Path) -> None:
    """Create a folder and its missing parents so that all users can read them.

    Existing folders keep their permissions.
    """
    for folder in (*reversed(path.parents), path):
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        folder.chmod(0o755)
