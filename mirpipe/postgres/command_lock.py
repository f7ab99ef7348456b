"""The lock that a process holds while it starts, stops or replaces a server."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from mirpipe.errors import DatabaseError
from mirpipe.postgres.os_account import create_readable_folder
from mirpipe.postgres.server_files import ServerFiles


@contextmanager
def command_lock(files: ServerFiles) -> Iterator[None]:
    """Create the server's folder, and keep other processes from starting or stopping the server.

    Waits until no other process holds the lock. Raises DatabaseError if the folder cannot be
    created.
    """
    try:
        if os.geteuid() == 0:
            create_readable_folder(files.folder)
        else:
            files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(files.command_lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DatabaseError(
            f"The embedded Postgres cannot store its files in {files.folder}: "
            f"{error.strerror}. Set MIRPIPE_HOME to a folder of your own."
        ) from error
    try:
        # The kernel releases this lock when the process ends, even if it is killed.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
