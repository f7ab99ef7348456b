"""The folder in which an upgrade runs two servers, with sockets, logs and locks of their own."""

import shutil
from dataclasses import dataclass

from mirpipe.postgres.os_account import create_readable_folder
from mirpipe.postgres.replace_data import unused_upgraded_data
from mirpipe.postgres.server_files import ServerFiles
from mirpipe.postgres.server_liveness import RunningServer, running_server
from mirpipe.postgres.socket_folder import socket_folder
from mirpipe.postgres.stop_server import stop_server


@dataclass(frozen=True)
class UpgradeFolder:
    """The folder `upgrade` beside the data of the server with these files."""

    files: ServerFiles

    @property
    def old(self) -> ServerFiles:
        """Files of the server that reads the old data, to which `data` is a link.

        Other programs look for its socket elsewhere, so they cannot connect to it.
        """
        return ServerFiles(self.files.cluster / "upgrade" / "old")

    @property
    def new(self) -> ServerFiles:
        """Files of the server with the new data."""
        return ServerFiles(self.files.cluster / "upgrade" / "new")

    def is_used_by(self, server: RunningServer) -> bool:
        """Return whether an upgrade, running or killed, has started this server."""
        return server.socket == socket_folder(self.old.cluster)

    def create(self) -> None:
        """Create the folder, with the link to the old data."""
        for server in (self.old, self.new):
            create_readable_folder(server.folder)
        self.old.data.symlink_to(self.files.data)

    def remove(self, *, timeout: float) -> None:
        """Stop both servers, and delete everything that an upgrade has left.

        Does nothing if another server uses the data. `timeout` is in seconds. Raises DatabaseError
        if a server does not stop.
        """
        server = running_server(self.files.data)
        if server and not self.is_used_by(server):
            return
        for started in (self.old, self.new):
            stop_server(started, timeout=timeout)
        # If the upgrade was killed later, this link would lead to the new data.
        self.old.data.unlink(missing_ok=True)
        if self.files.data.exists():
            shutil.rmtree(unused_upgraded_data(self.files.cluster), ignore_errors=True)
        shutil.rmtree(self.old.folder.parent, ignore_errors=True)
