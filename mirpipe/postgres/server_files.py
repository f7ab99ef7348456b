"""Paths of the files and folders that belong to an embedded server."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from mirpipe.postgres.os_account import SHARED_FOLDER, can_reach_folder, server_account


@dataclass(frozen=True)
class ServerFiles:
    """Paths of one server's files and folders, which need not exist."""

    folder: Path
    """Folder with the passwords and the lock files. Usually it is also the cluster folder."""

    @property
    def cluster(self) -> Path:
        """Folder with the data and the log: `folder`, or a folder in /var/lib/mirpipe.

        If this process is root, Postgres runs as an unprivileged account. If that account cannot
        reach `folder`, the cluster is in a folder in /var/lib/mirpipe, whose name is a hash of
        `folder` and the passwords. A home that is deleted and created again therefore gets a new
        cluster.
        """
        if os.geteuid() != 0 or (self.folder / "data").exists() or not self.passwords.exists():
            return self.folder
        identity = os.fsencode(self.folder) + self.passwords.read_bytes()
        elsewhere = SHARED_FOLDER / "clusters" / hashlib.sha256(identity).hexdigest()[:16]
        account = server_account(self.folder / "data")
        if elsewhere.exists() or not can_reach_folder(account, self.folder):
            return elsewhere
        return self.folder

    @property
    def data(self) -> Path:
        """Data folder of Postgres."""
        return self.cluster / "data"

    @property
    def passwords(self) -> Path:
        """File that contains the password of each login."""
        return self.folder / "pgpass"

    @property
    def command_lock(self) -> Path:
        """File that a process locks while it starts or stops the server."""
        return self.folder / "lock"

    @property
    def server_lock(self) -> Path:
        """File that the server and its child processes keep locked while they are alive."""
        return self.cluster / "server.lock"

    @property
    def provisioned(self) -> Path:
        """File that exists once all logins, databases and grants on the server are complete."""
        return self.cluster / "provisioned"
