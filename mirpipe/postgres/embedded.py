"""Starts, stops and connects to the embedded Postgres server of a home folder."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg2 import extensions

from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.postgres.command_lock import command_lock
from mirpipe.postgres.create_cluster import SUPERUSER, ensure_cluster
from mirpipe.postgres.installed_programs import wheel_version
from mirpipe.postgres.kept_programs import keep_programs
from mirpipe.postgres.passwords import create_passwords, read_passwords
from mirpipe.postgres.server_files import ServerFiles
from mirpipe.postgres.server_liveness import RunningServer, running_server
from mirpipe.postgres.start_server import start_server
from mirpipe.postgres.stop_server import stop_server
from mirpipe.postgres.superuser_connection import require_running, superuser_connection
from mirpipe.postgres.upgrade_cluster import Upgrade, upgrade_cluster
from mirpipe.postgres.upgrade_folder import UpgradeFolder


@dataclass(frozen=True)
class Status:
    """State of the embedded server. If the server is not running, only the data folder is set."""

    running: bool
    """Whether the server is accepting connections."""
    pid: int | None
    """Process id of the server. Also set while the server is starting or stopping."""
    port: int | None
    """Port on 127.0.0.1, or None if the server only listens on its socket."""
    socket: Path | None
    """Folder that contains the Unix socket."""
    version: str | None
    """Version of Postgres."""
    data: Path
    """Data folder of Postgres."""


Connect = Callable[[str], extensions.connection]
"""Opens an autocommit connection, as the superuser, to the database with the given name."""


@dataclass(frozen=True)
class Provisioning:
    """The logins, databases and grants that a program needs on the server, and their creation."""

    logins: Mapping[str, str]
    """Login per role."""
    default_database: str
    """Database that a URL names if the caller does not name one."""
    provision: Callable[[Connect, Mapping[str, str]], None]
    """Function that creates them. It receives the password of each login and can run repeatedly."""
    version: int
    """Version of `provision`. Increase it when `provision` changes, so that it runs again."""


class EmbeddedPostgres:
    """The Postgres server that belongs to `home`.

    The server keeps running after the process that started it has ended. Its files are in
    `home/postgres`. If this process is root, Postgres runs as an unprivileged account. If that
    account cannot reach `home/postgres`, the data is in /var/lib/mirpipe.
    """

    def __init__(
        self,
        home: Path,
        provisioning: Provisioning,
        *,
        port: int | None = None,
        start_timeout: float = 120,
    ) -> None:
        """Create the object without starting the server.

        If `port` is given, the server also listens on 127.0.0.1. `start_timeout` is in seconds and
        also applies when the server stops. Raises ConfigurationError if `home` contains a line
        break.
        """
        if "\n" in str(home):  # The file postmaster.pid contains one value per line.
            raise ConfigurationError(
                f"MIRPIPE_HOME contains a line break: {str(home)!r}. Choose a folder without one."
            )
        self._files = ServerFiles(home.expanduser().absolute() / "postgres")
        self._provisioning = provisioning
        self._port = port
        self._timeout = start_timeout

    # Start, stop, status -----------------------------------------------------------------------

    def up(self) -> None:
        """Start the server, and create its roles and databases if they are missing.

        Does nothing if the server is running and has all of them. Several processes can call this
        method at the same time, even after one of them was killed. Raises DatabaseError, with the
        end of the log, if the server does not start.
        """
        while (server := self._ready_server()) is None:
            with command_lock(self._files):
                UpgradeFolder(self._files).remove(timeout=self._timeout)
                # A newer mirpipe can have more logins. Passwords that were lost are not replaced.
                if not self.data.exists() or self._files.passwords.exists():
                    logins = (SUPERUSER, *self._provisioning.logins.values())
                    create_passwords(self._files.passwords, logins)
                passwords = read_passwords(self._files.passwords)
                ensure_cluster(self._files, password=passwords[SUPERUSER])
                keep_programs(self.cluster_folder, version=wheel_version())
                start_server(self._files, port=self._port, timeout=self._timeout)
                if not self._is_provisioned():
                    self._provisioning.provision(self.connect, passwords)
                    self._files.provisioned.write_text(self._provisioned_version())
        if self._port and (server.port, server.has_tcp) != (self._port, True):
            raise DatabaseError(
                f"The embedded Postgres is already running, but not on port {self._port}. "
                "Run `mirpipe db down` first."
            )

    def down(self) -> None:
        """Stop the server and all its processes. Open transactions are rolled back."""
        if not running_server(self.data) and not self.folder.exists():
            return
        with command_lock(self._files):
            stop_server(self._files, timeout=self._timeout)

    def upgrade(
        self, *, show: Callable[[str], None], progress: Callable[[int, int], None]
    ) -> Upgrade | None:
        """Upgrade the stopped server's data to the installed major version of Postgres.

        Returns None if that is not necessary. See `upgrade_cluster`.
        """
        return upgrade_cluster(self._files, timeout=self._timeout, show=show, progress=progress)

    def status(self) -> Status:
        """Return whether the server is running, and its process, port, socket and version."""
        server = running_server(self.data)
        if not server or not server.is_ready:
            return Status(False, server.pid if server else None, None, None, None, self.data)
        with contextlib.closing(self.connect()) as connection:
            version = connection.get_parameter_status("server_version")
        port = server.port if server.has_tcp else None
        return Status(True, server.pid, port, server.socket, version, self.data)

    @property
    def pid(self) -> int | None:
        """Process id of the server, even while it starts or stops. None if no server is alive."""
        server = running_server(self.data)
        return server.pid if server else None

    # Connections -------------------------------------------------------------------------------

    def url(
        self,
        role: str,
        database: str | None = None,
        *,
        driver: str = "postgresql+psycopg2",
        tcp: bool = False,
    ) -> str:
        """Return the URL, including the password, that `role` uses to connect to `database`.

        psql needs `driver="postgresql"`. The URL contains the socket folder, or 127.0.0.1 if `tcp`
        is true and the server listens there. Raises DatabaseError if the server is not running.
        """
        server = require_running(self._files)
        login = self._provisioning.logins[role]
        database = database or self._provisioning.default_database
        prefix = f"{driver}://{login}:{read_passwords(self._files.passwords)[login]}"
        if tcp and server.has_tcp:
            return f"{prefix}@127.0.0.1:{server.port}/{database}"
        return f"{prefix}@/{database}?host={server.socket}&port={server.port}"

    def connect(self, database: str = "postgres") -> extensions.connection:
        """Return an autocommit connection as the superuser, for setup.

        Raises DatabaseError if the server is not running or does not accept the connection.
        """
        password = read_passwords(self._files.passwords)[SUPERUSER]
        return superuser_connection(self._files, database, password=password)

    # Folders -----------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """The folder `home/postgres`, which contains the passwords."""
        return self._files.folder

    @property
    def cluster_folder(self) -> Path:
        """Folder with the data and the log: `home/postgres`, or a folder in /var/lib/mirpipe."""
        return self._files.cluster

    @property
    def data(self) -> Path:
        """Data folder of Postgres."""
        return self._files.data

    # Private -----------------------------------------------------------------------------------

    def _ready_server(self) -> RunningServer | None:
        """Return the server, or None if it does not accept connections or is not provisioned.

        The server of an upgrade that is running or was killed does not count.
        """
        server = running_server(self.data)
        if not server or not server.is_ready or UpgradeFolder(self._files).is_used_by(server):
            return None
        return server if self._is_provisioned() else None

    def _is_provisioned(self) -> bool:
        try:
            return self._files.provisioned.read_text() == self._provisioned_version()
        except FileNotFoundError:
            return False

    def _provisioned_version(self) -> str:
        return f"{self._provisioning.version} {wheel_version()}"
