"""Servers that live as long as `mirpipe up`: started, watched, and ended whoever dies first.

Every process carries a mark in its environment, which its children inherit. What a killed `up`
left behind is recognised by that mark and never by a bare pid, which may be another's by now.
"""

import contextlib
import fcntl
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

import psutil
from sqlalchemy.exc import SQLAlchemyError

from mirpipe.errors import MirpipeError
from mirpipe.orchestration.free_port import free_port
from mirpipe.orchestration.parent_death_signal import dies_with_parent

MARK = "MIRPIPE_UP_MARK"
STOP_SECONDS = 10
"""Given to a server to end in good order; a task that runs longer is done anew by the next run."""
LOG_LINES, LOG_COLUMNS = 8, 160
"""Of a dead server's log, quoted."""


class AlreadyRunning(MirpipeError):
    """`mirpipe up` runs already on this home."""


class ServerDied(MirpipeError):
    """A server ended that should have gone on."""


class Servers:
    """The servers of one home. As a context it holds the home's lock and ends what it started."""

    def __init__(self, home: Path, *, logs: Path, stop_order: Sequence[str]) -> None:
        """State is kept in `home`, the output of each server in `logs`/NAME.log."""
        self._record = home / "up.json"
        self._lock = home / "up.lock"
        self._logs = logs
        self._stop_order = stop_order
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._checks: list[Callable[[], None]] = []
        self._stack = contextlib.ExitStack()
        self._mark = secrets.token_hex(16)
        self.owns_postgres = False

    def __enter__(self) -> Self:
        """Takes the lock and ends what a killed predecessor left; raises AlreadyRunning."""
        # Postgres passes through as another user, so home is not closed to others
        self._record.parent.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(mode=0o700, exist_ok=True)
        lock = self._stack.enter_context(self._lock.open("a"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AlreadyRunning(
                f"`mirpipe up` runs already on {self._record.parent}{self._whose()}: stop it with "
                "Ctrl-C where it runs, or set MIRPIPE_HOME to another folder"
            ) from None
        with contextlib.suppress(OSError, ValueError, KeyError):
            left = json.loads(self._record.read_text())
            self.owns_postgres = left["owns_postgres"]
            end_marked(left["mark"])
        self.remember()
        self._stack.callback(self._record.unlink, missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            for name in sorted(self._running, key=self._stop_order.index):
                self._stop(name)
            end_marked(self._mark)

    def afterwards(self, step: Callable[[], None]) -> None:
        """Has `step` done when all servers have ended, before the lock is given back."""
        self._stack.callback(step)

    def watch(self, check: Callable[[], None]) -> None:
        """Has `check` raise ServerDied where something else has ended that the servers need."""
        self._checks.append(check)

    def remember(self) -> None:
        """Writes down what a successor must know if this process is killed."""
        known = {"mark": self._mark, "pid": os.getpid(), "owns_postgres": self.owns_postgres}
        new = self._record.with_suffix(".new")
        new.write_text(json.dumps(known))
        new.replace(self._record)

    def free_port(self, wanted: int) -> int:
        """`wanted` or the next port that nobody uses, kept from other homes until all has ended."""
        port, held = free_port(wanted)
        self._stack.callback(held.close)
        return port

    def log(self, name: str) -> Path:
        """The file that holds the output of this run of the server."""
        return self._logs / f"{name}.log"

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        folder: Path | None = None,
    ) -> None:
        """Starts a server in a session of its own, in `folder` where given."""
        with self.log(name).open("wb") as output:
            self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # a title that a server gives itself must not overwrite the mark
                env={**environment, MARK: self._mark, "SPT_NOENV": "1"},
                cwd=folder,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )

    def require_alive(self) -> None:
        """Raises ServerDied, with the end of its log, where a server ended by itself.

        What the servers need comes first: a server that died of its loss is not the cause.
        """
        for check in self._checks:
            check()
        for name, process in self._running.items():
            if process.poll() is not None:
                end = self.log(name).read_text(errors="replace").splitlines()[-LOG_LINES:]
                raise ServerDied(
                    f"{name} ended by itself (exit code {process.returncode}); {self.log(name)} "
                    "ends with:\n" + "\n".join(line[:LOG_COLUMNS] for line in end)
                )

    @contextlib.contextmanager
    def blamed(self) -> Iterator[None]:
        """Within it, the error of a caller whose server died is that server's death."""
        try:
            yield
        except (MirpipeError, SQLAlchemyError):
            self.require_alive()
            raise

    def _stop(self, name: str) -> None:
        process = self._running.pop(name)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_SECONDS)
        if process.poll() is None:
            process.kill()
            process.wait()

    def _whose(self) -> str:
        try:
            return f" as process {json.loads(self._record.read_text())['pid']}"
        except (OSError, ValueError, KeyError):
            return ""


def runs_here(home: Path) -> bool:
    """Whether a `mirpipe up` works on this home now."""
    try:
        with (home / "up.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def left_behind(home: Path) -> bool:
    """Whether a `mirpipe up` on this home was killed before it could clear up."""
    return (home / "up.json").exists() and not runs_here(home)


def end_marked(mark: str) -> None:
    """Ends every process that carries the mark, until there is none."""
    deadline = time.monotonic() + 10
    while marked := [process for process in psutil.process_iter() if _carries(process, mark)]:
        if time.monotonic() > deadline:
            pids = ", ".join(str(process.pid) for process in marked)
            raise MirpipeError(f"these processes do not end: {pids}; end them by hand")
        for process in marked:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(marked, timeout=1)


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False
