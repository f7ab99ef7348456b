"""Paths of the files and folders of an embedded server."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from mirpipe.postgres.account import SHARED_FOLDER, can_reach_folder, server_account


@dataclass(frozen=True)
class ServerFiles:
    """Paths of one server, whether they exist or not."""

    folder: Path
    """Folder of the passwords and of the lock. Usually it is the cluster folder, too."""

    @property
    def cluster(self) -> Path:
        """Folder of the data and the log: `folder`, or one in /var/lib/mirpipe.

        If this process is root, Postgres runs as an unprivileged account. If that account cannot
        reach `folder`, the cluster is in /var/lib/mirpipe. There, the name of its folder is a hash
        of `folder` and of the passwords. So a home that is deleted and created again gets a new
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
        """File with the password of each login."""
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
        """File that exists if the logins, databases and grants of the server are complete."""
        return self.cluster / "provisioned"
