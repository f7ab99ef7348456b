"""Servers under a lock: ended in order, ended whoever dies first, never anybody else's."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy.exc import OperationalError

from mirpipe.errors import MirpipeError
from mirpipe.orchestration.server_processes import MARK, AlreadyRunning, ServerDied, Servers
from tests.support.waiting import eventually

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]
STUBBORN_FAMILY = [
    sys.executable,
    "-c",
    "import signal, subprocess, sys\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = [sys.executable, '-c', 'import signal; signal.pause()']\n"
    "print(subprocess.Popen(child, start_new_session=True).pid, flush=True)\n"
    "signal.pause()\n",
]


def servers(home: Path) -> Servers:
    return Servers(home, logs=home / "logs", stop_order=("first", "second", "third"))


@pytest.fixture
def bystander() -> Iterator[psutil.Process]:
    with subprocess.Popen(FOREVER) as process:
        yield psutil.Process(process.pid)
        process.kill()


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pid_in(log: Path) -> int:
    eventually(lambda: log.exists() and log.read_text().strip())
    return int(log.read_text())


def test_a_second_one_on_the_same_home_is_told_who_is_there(tmp_path: Path) -> None:
    with servers(tmp_path):
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"), servers(tmp_path):
            pass
        with servers(tmp_path / "other"):
            pass
    with servers(tmp_path):
        pass


def test_a_port_in_use_is_passed_over(tmp_path: Path) -> None:
    with socket.socket() as taken, servers(tmp_path) as running:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < running.free_port(port) < port + 100


def test_a_port_is_kept_from_other_homes_before_anybody_listens(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with servers(tmp_path / "a") as one, servers(tmp_path / "b") as other:
        assert one.free_port(port) == port
        assert other.free_port(port) > port
    with servers(tmp_path / "b") as other:
        assert other.free_port(port) == port


def test_all_end_in_the_given_order_and_then_the_rest_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    stop = Servers._stop
    monkeypatch.setattr(Servers, "_stop", lambda s, name: (stop(s, name), ended.append(name)))
    with servers(tmp_path) as running:
        running.afterwards(lambda: ended.append("afterwards"))
        for name in ("third", "first", "second"):
            running.start(name, FOREVER, {})
        running.require_alive()
    assert ended == ["first", "second", "third", "afterwards"]
    assert not (tmp_path / "up.json").exists()


def test_one_that_ends_by_itself_is_noticed_and_its_log_quoted(tmp_path: Path) -> None:
    with servers(tmp_path) as running:
        running.start("first", [sys.executable, "-c", "print('no port'); raise SystemExit(7)"], {})
        with pytest.raises(ServerDied, match=r"first .*exit code 7[^$]*no port"):
            eventually(lambda: running.require_alive() or False)


def test_stubborn_ones_and_their_children_end_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirpipe.orchestration.server_processes.STOP_SECONDS", 0.2)
    with servers(tmp_path) as running:
        running.start("first", STUBBORN_FAMILY, {})
        child = psutil.Process(pid_in(running.log("first")))
    assert not alive(child)


def test_what_a_killed_predecessor_left_is_ended_and_nobody_else(
    tmp_path: Path, bystander: psutil.Process
) -> None:
    up = multiprocessing.get_context("fork").Process(target=_run_until_killed, args=[tmp_path])
    up.start()
    child = psutil.Process(pid_in(tmp_path / "logs" / "first.log"))
    os.kill(up.pid or 0, signal.SIGKILL)
    up.join()
    assert alive(child)
    with servers(tmp_path) as running:
        assert not alive(child)
        assert running.owns_postgres
    assert alive(bystander)


def test_a_process_that_changes_its_title_is_still_recognised(tmp_path: Path) -> None:
    titled = "import os, signal, setproctitle; setproctitle.setproctitle('airflow ' + 'x' * 3000); "
    with servers(tmp_path) as running:
        running.start(
            "first",
            [sys.executable, "-c", f"{titled}print(os.getpid(), flush=True); signal.pause()"],
            {},
        )
        process = psutil.Process(pid_in(running.log("first")))
        assert process.environ()[MARK]


def _run_until_killed(home: Path) -> None:
    with servers(home) as running:
        running.owns_postgres = True
        running.remember()
        running.start("first", STUBBORN_FAMILY, {})
        signal.pause()


class Postgres:
    """Stands for what servers need and do not start."""

    runs = True

    def require(self) -> None:
        if not self.runs:
            raise ServerDied("Postgres ended by itself")


@pytest.mark.parametrize(
    "error", [MirpipeError("refused"), OperationalError("SELECT", {}, OSError())]
)
def test_an_error_is_blamed_on_the_server_that_died(tmp_path: Path, error: Exception) -> None:
    postgres = Postgres()
    with servers(tmp_path) as running:
        running.watch(postgres.require)
        with pytest.raises(type(error)), running.blamed():
            raise error
        postgres.runs = False
        with pytest.raises(ServerDied, match="Postgres"), running.blamed():
            raise error


def test_a_server_that_died_of_what_it_needs_is_not_the_cause(tmp_path: Path) -> None:
    postgres = Postgres()
    with servers(tmp_path) as running:
        running.watch(postgres.require)
        running.start("first", [sys.executable, "-c", "print('no Postgres'); exit(1)"], {})
        postgres.runs = False
        running._running["first"].wait()
        with pytest.raises(ServerDied, match="Postgres ended by itself"):
            running.require_alive()
