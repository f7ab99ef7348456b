"""A Postgres with pgvector of one's own: programs from a wheel, data in a folder."""

import contextlib
import fcntl
import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection

from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.postgres.account import Account, can_enter, open_folder, server_account
from mirpipe.postgres.binaries import SHARED, runnable, wheel_version
from mirpipe.postgres.cluster import (
    SUPERUSER,
    check_version,
    launch,
    log_end,
    make_cluster,
    remove_socket_folder,
)
from mirpipe.postgres.passwords import make_passwords, passwords
from mirpipe.postgres.postmaster import Postmaster, end_orphans, occupied, postmaster

PATIENCE_SECONDS = 60.0
"""What a shutdown may take: it writes all that has changed to disk."""


@dataclass(frozen=True)
class Status:
    """What is known of the embedded server; where it does not run, only where its data lie."""

    running: bool
    """It accepts connections."""
    pid: int | None
    port: int | None
    """On 127.0.0.1; None where it listens on its socket alone."""
    socket: Path | None
    """Directory of the Unix socket."""
    version: str | None
    data: Path


Connect = Callable[[str], connection]
"""Opens an autocommit connection of the superuser to a database, by its name."""


@dataclass(frozen=True)
class Provisioning:
    """What the program that uses the server puts into it: logins, databases and grants."""

    logins: Mapping[str, str]
    """The login of each role."""
    default_database: str
    provision: Callable[[Connect, Mapping[str, str]], None]
    """Makes all of it, given the password of each login. It must be safe to run again."""
    version: int
    """Raise it when `provision` changes: existing clusters are then provisioned again."""


class EmbeddedPostgres:
    """The server whose cluster belongs to `home`; it outlives the process that starts it.

    Everything lies in `home/postgres`; but root's server runs as an unprivileged account, and a
    cluster that this account could not reach there is kept below /var/lib/mirpipe.
    """

    def __init__(
        self,
        home: Path,
        provisioning: Provisioning,
        *,
        port: int | None = None,
        start_timeout: float = 120,
    ) -> None:
        """`port` asks for 127.0.0.1:port beside the socket; `start_timeout` is in seconds."""
        if "\n" in str(home):  # would break the lines of postmaster.pid
            raise ConfigurationError(f"MIRPIPE_HOME must not hold a line break: {str(home)!r}")
        self.folder = home.expanduser().absolute() / "postgres"
        self._provisioning = provisioning
        self._port = port
        self._timeout = start_timeout

    # Life --------------------------------------------------------------------------------------

    def up(self) -> None:
        """Have the server accept connections, its roles and databases in place.

        Does nothing where that is so already. Safe to call from many processes at once, and after
        any of them was killed. Raises DatabaseError, with the end of the server's log.
        """
        while (running := self._in_service()) is None:
            with self._exclusive():
                if not self.data.exists():
                    make_passwords(self._passfile, (SUPERUSER, *self._provisioning.logins.values()))
                secrets = passwords(self._passfile)
                self._make_place(secrets[SUPERUSER])
                self._start()
                if not self._provisioned():
                    self._provisioning.provision(self.connect, secrets)
                    self._marker.write_text(self._marker_text())
        if self._port and (running.port, running.tcp) != (self._port, True):
            raise DatabaseError(
                f"the embedded Postgres runs already, and not on port {self._port}: "
                "run `mirpipe db down` first"
            )

    def down(self) -> None:
        """End the server and all its processes; open transactions are rolled back."""
        if not self._postmaster() and not self.folder.exists():
            return
        with self._exclusive():
            begun = time.monotonic()
            told = None
            while (running := self._postmaster()) or occupied(self._lock):
                # a fast shutdown; an immediate one, after which it recovers, where that is stuck
                patient = time.monotonic() < begun + PATIENCE_SECONDS
                order = signal.SIGINT if patient else signal.SIGQUIT
                if running and (running.pid, order) != told:  # one that starts shows only later
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(running.pid, order)
                    told = (running.pid, order)
                self._wait(begun + self._timeout, "did not stop")
            remove_socket_folder(self.place)

    def status(self) -> Status:
        """Whether the server runs, and where."""
        running = self._postmaster()
        if not running or not running.ready:
            return Status(False, running.pid if running else None, None, None, None, self.data)
        with contextlib.closing(self.connect()) as link:
            version = link.get_parameter_status("server_version")
        port = running.port if running.tcp else None
        return Status(True, running.pid, port, running.socket, version, self.data)

    @property
    def pid(self) -> int | None:
        """Of the living server, ready or not; None where there is none."""
        running = self._postmaster()
        return running.pid if running else None

    # Connections -------------------------------------------------------------------------------

    def url(
        self,
        role: str,
        database: str | None = None,
        *,
        driver: str = "postgresql+psycopg2",
        tcp: bool = False,
    ) -> str:
        """Where `role` finds `database`, password included; `driver="postgresql"` for psql.

        By the socket; with `tcp`, by 127.0.0.1 where the server listens there. Raises
        DatabaseError where the server is down.
        """
        running = self._running()
        login = self._provisioning.logins[role]
        database = database or self._provisioning.default_database
        who = f"{driver}://{login}:{passwords(self._passfile)[login]}"
        if tcp and running.tcp:
            return f"{who}@127.0.0.1:{running.port}/{database}"
        return f"{who}@/{database}?host={running.socket}&port={running.port}"

    def connect(self, database: str = "postgres") -> connection:
        """An autocommit connection of the superuser, for set-up."""
        running = self._running()
        try:
            link = psycopg2.connect(
                host=str(running.socket),
                port=running.port,
                user=SUPERUSER,
                password=passwords(self._passfile)[SUPERUSER],
                dbname=database,
                application_name="mirpipe set-up",
                connect_timeout=10,
            )
        except psycopg2.OperationalError as error:
            raise DatabaseError(f"the embedded Postgres does not answer: {error}") from error
        link.autocommit = True
        return link

    # Where things lie --------------------------------------------------------------------------

    @property
    def place(self) -> Path:
        """The folder of the cluster: `home/postgres`, or for root one below /var/lib/mirpipe.

        That one is named for the home and its passwords: a home made anew has a new cluster.
        """
        here = self.folder
        if os.geteuid() != 0 or (here / "data").exists() or not self._passfile.exists():
            return here
        identity = os.fsencode(here) + self._passfile.read_bytes()
        elsewhere = SHARED / "clusters" / hashlib.sha256(identity).hexdigest()[:16]
        if elsewhere.exists() or not can_enter(server_account(here / "data"), here):
            return elsewhere
        return here

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.place / "data"

    @property
    def _passfile(self) -> Path:
        return self.folder / "pgpass"

    @property
    def _lock(self) -> Path:
        return self.place / "server.lock"

    @property
    def _marker(self) -> Path:
        return self.place / "provisioned"

    def _marker_text(self) -> str:
        return f"{self._provisioning.version} {wheel_version()}"

    # Steps -------------------------------------------------------------------------------------

    def _postmaster(self) -> Postmaster | None:
        try:
            return postmaster(self.data)
        except PermissionError as error:
            raise DatabaseError(
                f"{error.filename} belongs to another user: run mirpipe as that user, "
                "or set MIRPIPE_HOME to a folder of yours"
            ) from error

    def _running(self) -> Postmaster:
        if running := self._postmaster():
            return running
        raise DatabaseError("the embedded Postgres is not running: start it with `mirpipe db up`")

    def _in_service(self) -> Postmaster | None:
        running = self._postmaster()
        return running if running and running.ready and self._provisioned() else None

    def _provisioned(self) -> bool:
        try:
            return self._marker.read_text() == self._marker_text()
        except FileNotFoundError:
            return False

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        try:
            if os.geteuid() == 0:
                open_folder(self.folder)
            else:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DatabaseError(
                f"the embedded Postgres cannot keep its files in {self.folder}: {error.strerror}; "
                "set MIRPIPE_HOME to a folder of yours"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # the kernel frees it when this process dies
            yield
        finally:
            os.close(descriptor)

    def _make_place(self, password: str) -> None:
        place = self.place
        if (place / "data").exists():
            check_version(place / "data", wheel_version())
            return
        if place != self.folder:
            open_folder(place)
            (place / "home").write_bytes(os.fsencode(self.folder) + b"\n")
            print(
                f"mirpipe: Postgres, which does not run as root, cannot reach {self.folder}: "
                f"keeping its data in {place}",
                file=sys.stderr,
            )
        self._marker.unlink(missing_ok=True)
        account = self._account()
        make_cluster(place, programs=runnable(account), account=account, password=password)

    def _start(self) -> None:
        deadline = time.monotonic() + self._timeout
        while not ((running := self._postmaster()) and running.ready):
            if running or occupied(self._lock):  # starting, recovering, stopping, or orphans
                self._wait(deadline, "is not ready")
                continue
            account = self._account()
            launch(
                self.place,
                lock=self._lock,
                programs=runnable(account),
                account=account,
                port=self._port,
                timeout=max(1, deadline - time.monotonic()),
            )

    def _account(self) -> Account | None:
        account = server_account(self.data)
        if account and not can_enter(account, self.place):
            raise DatabaseError(
                f"Postgres does not run as root, and user {account.name} cannot reach "
                f"{self.place}: open the folders above it (chmod o+x), or run mirpipe as that user"
            )
        return account

    def _wait(self, deadline: float, complaint: str) -> None:
        if time.monotonic() > deadline:
            raise DatabaseError(
                f"the embedded Postgres {complaint} within {self._timeout:g} s; "
                f"{log_end(self.place)}"
            )
        if not self._postmaster():
            end_orphans(self.data)
        time.sleep(0.02)
