"""Start the servers of `mirpipe up`, watch them, and stop them when `mirpipe up` ends.

If `mirpipe up` is killed, the next `mirpipe up` in the same home folder stops the servers.
"""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from mirpipe.errors import MirpipeError
from mirpipe.orchestration.free_port import reserve_free_port
from mirpipe.orchestration.home_lock import hold_lock, record_file
from mirpipe.orchestration.process_mark import MARK, kill_marked
from mirpipe.parent_death_signal import dies_with_parent

STOP_SECONDS = 10
"""Time within which a server must stop. The next DAG run repeats a task that needs longer."""
LOG_LINES, LOG_COLUMNS = 8, 160
"""Largest numbers of lines and of characters per line that are quoted from a dead server's log."""


class ServerDied(MirpipeError):
    """A server ended although it was not asked to stop."""


class Servers:
    """The server processes of one home folder.

    As a context manager, the object holds the lock on the home folder, and stops all its servers
    when the context ends.
    """

    def __init__(self, home: Path, *, logs: Path, stop_order: Sequence[Sequence[str]]) -> None:
        """Create the object, but start no server.

        `logs` is the folder for the servers' log files. `stop_order` contains the names of all
        servers, in groups. The servers of a group stop at the same time, after the groups before.
        """
        self._home = home
        self._logs = logs
        self._stop_order = stop_order
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stop_seconds: dict[str, float] = {}
        self._checks: list[Callable[[], None]] = []
        self._stack = contextlib.ExitStack()
        self._mark = secrets.token_hex(16)
        self.owns_postgres = False
        """Whether this `mirpipe up`, or a killed one before it, started the embedded Postgres."""

    def __enter__(self) -> Self:
        """Acquire the lock, and stop the servers of a killed `mirpipe up`.

        Raises AlreadyRunning if another `mirpipe up` is running in this home folder.
        """
        # Other users can enter the home folder, because Postgres may run as another user and has
        # its files in this folder.
        self._home.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(mode=0o700, exist_ok=True)
        self._stack.enter_context(hold_lock(self._home))
        record = record_file(self._home)
        with contextlib.suppress(OSError, ValueError, KeyError):
            killed = json.loads(record.read_text())
            self.owns_postgres = killed["owns_postgres"]
            kill_marked(killed["mark"])
        self.write_record()
        self._stack.callback(record.unlink, missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            for names in self._stop_order:
                self._stop([name for name in names if name in self._running])
            kill_marked(self._mark)

    def run_after_stop(self, step: Callable[[], None]) -> None:
        """Run `step` after all servers have stopped and before the lock is released."""
        self._stack.callback(step)

    def add_check(self, check: Callable[[], None]) -> None:
        """Add a check that raises ServerDied if a program that the servers need has ended."""
        self._checks.append(check)

    def write_record(self) -> None:
        """Store the information that the next `mirpipe up` needs if this process is killed."""
        values = {"mark": self._mark, "pid": os.getpid(), "owns_postgres": self.owns_postgres}
        record = record_file(self._home)
        temporary = record.with_suffix(".new")
        temporary.write_text(json.dumps(values))
        temporary.replace(record)

    def reserve_port(self, first: int, *, bind: str) -> int:
        """Return the first free port on the IP address `bind` from `first` on.

        The port stays reserved until all servers stop.
        """
        port, reservation = reserve_free_port(first, bind=bind)
        self._stack.callback(reservation.close)
        return port

    def log(self, name: str) -> Path:
        """Return the server's log file."""
        return self._logs / f"{name}.log"

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        folder: Path | None = None,
        stop_seconds: float | None = None,
    ) -> None:
        """Start a server in its own session, with `folder` as its working directory.

        The server is killed if it has not stopped after `stop_seconds`, by default STOP_SECONDS.
        """
        self._stop_seconds[name] = STOP_SECONDS if stop_seconds is None else stop_seconds
        with self.log(name).open("wb") as output:
            self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # SPT_NOENV: a server that changes its process title must not overwrite the mark.
                env={**environment, MARK: self._mark, "SPT_NOENV": "1"},
                cwd=folder,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )

    def require_alive(self) -> None:
        """Raise ServerDied, with the end of the server's log, if a server ended by itself.

        The added checks run first: if Postgres has ended, other servers may have ended for that
        reason, and the error must name Postgres.
        """
        for check in self._checks:
            check()
        for name, process in self._running.items():
            if process.poll() is not None:
                lines = self.log(name).read_text(errors="replace").splitlines()[-LOG_LINES:]
                raise ServerDied(
                    f"{name} ended by itself (exit code {process.returncode}). The last lines of "
                    f"{self.log(name)}:\n" + "\n".join(line[:LOG_COLUMNS] for line in lines)
                )

    @contextlib.contextmanager
    def report_dead_server(self) -> Iterator[None]:
        """Replace an error in the `with` block by ServerDied if a server ended by itself.

        Only MirpipeError and database errors are replaced, because a dead server can cause them.
        """
        try:
            yield
        except (MirpipeError, SQLAlchemyError):
            self.require_alive()
            raise

    def _stop(self, names: Sequence[str]) -> None:
        """Ask servers to stop, and kill those that have not stopped in time."""
        start = time.monotonic()
        processes = {name: self._running.pop(name) for name in names}
        for process in processes.values():
            process.terminate()
        for name, process in processes.items():
            left = start + self._stop_seconds[name] - time.monotonic()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0, left))
            if process.poll() is None:
                process.kill()
                process.wait()
