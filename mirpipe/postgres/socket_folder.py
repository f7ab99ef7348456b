"""Finds, creates and deletes the folder of the server's Unix socket."""

import contextlib
import hashlib
import os
import re
import shutil
import stat
from pathlib import Path

from mirpipe.errors import DatabaseError
from mirpipe.postgres.os_account import Account, change_owner

# The shortest limit for a socket path is 103 bytes, on macOS.
_MAXIMUM_BYTES = 103 - len("/.s.PGSQL.65535")
# Paths with only these characters need no quotes in a shell, a Postgres setting or a URL.
_UNQUOTED_PATH = re.compile(r"[A-Za-z0-9/._-]+")


def socket_folder(cluster: Path) -> Path:
    """Return the folder for the socket of the server whose data is in the folder `cluster`.

    The socket folder is in `cluster`, or in /tmp if its path would be too long or would contain
    characters that need quotes.
    """
    inside = cluster / "socket"
    if len(os.fsencode(inside)) <= _MAXIMUM_BYTES and _UNQUOTED_PATH.fullmatch(str(inside)):
        return inside
    return Path("/tmp") / f"mirpipe-{hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]}"


def create_socket_folder(cluster: Path, account: Account | None) -> Path:
    """Create the folder if it is missing, and return it. Only `account` can enter it.

    Raises DatabaseError if the path is not a folder, or if the folder belongs to another user.
    """
    folder = socket_folder(cluster)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        change_owner(folder, account)
    existing = folder.lstat()
    account_uid = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(existing.st_mode) or existing.st_uid not in (account_uid, os.geteuid()):
        raise DatabaseError(
            f"Postgres cannot create its socket in {folder}: this is not a folder, or it belongs "
            "to another user. Remove it, and run the command again."
        )
    change_owner(folder, account)
    folder.chmod(0o700)
    return folder


def remove_socket_folder(cluster: Path) -> None:
    """Delete the socket folder if it is in /tmp. Call this after the server has stopped."""
    folder = socket_folder(cluster)
    if folder.parent != cluster:
        shutil.rmtree(folder, ignore_errors=True)
