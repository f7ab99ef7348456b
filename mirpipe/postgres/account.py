"""The account that the embedded Postgres runs as: Postgres refuses root, so root drops to it."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirpipe.errors import DatabaseError

UNPRIVILEGED = ("postgres", "nobody")
# none of the caller's own, whose PG* variables would speak to the wrong server
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Account:
    """A user of this machine to run Postgres as."""

    name: str
    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """The account to drop to, None where this process is not root.

    A cluster that exists decides: it runs as its owner. Raises DatabaseError where there is none.
    """
    if os.geteuid() != 0:
        return None
    if data.exists():
        found = data.stat()
        if found.st_uid == 0:
            raise DatabaseError(
                f"{data} belongs to root, as whom Postgres refuses to run: "
                f"run `chown -R postgres {data}`"
            )
        return Account(f"number {found.st_uid}", found.st_uid, found.st_gid)
    for name in UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, user.pw_uid, user.pw_gid)
    raise DatabaseError(
        "Postgres refuses to run as root and there is no user postgres or nobody to run it as: "
        "run mirpipe as another user, or set MIRPIPE_DATABASE_URL"
    )


def run_as(
    account: Account | None,
    command: Sequence[str | Path],
    *,
    cwd: Path = Path("/"),
    environment: dict[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """What `command` answered, run as `account` in a session of its own, output in `stdout`.

    A program that the account may not execute answers with exit status 126.
    """
    drop: dict[str, Any] = {}
    if account is not None:
        drop = {"user": account.uid, "group": account.gid, "extra_groups": []}
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
            start_new_session=True,  # Ctrl-C in the terminal of the caller is not for Postgres
            **drop,
        )
    except PermissionError as error:
        return subprocess.CompletedProcess(command, 126, str(error))


def can_enter(account: Account | None, folder: Path) -> bool:
    """Whether `account` can traverse every directory down to and including `folder`."""
    return run_as(account, ["/bin/sh", "-c", 'test -x "$1"', "sh", folder]).returncode == 0


def give(path: Path, account: Account | None) -> None:
    """Make `account` the owner of a file or directory that this process just made."""
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def open_folder(path: Path) -> None:
    """Make `path` and its missing parents readable to all; what exists keeps its mode."""
    for folder in (*reversed(path.parents), path):
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        folder.chmod(0o755)
