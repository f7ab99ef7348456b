"""The servers of one home folder: the lock, the stop order, and the detection of dead servers."""

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
from mirpipe.orchestration.home_lock import AlreadyRunning
from mirpipe.orchestration.process_mark import MARK
from mirpipe.orchestration.server_processes import ServerDied, Servers
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

WAIT_FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]
IGNORES_SIGTERM = [
    sys.executable,
    "-c",
    "import signal, subprocess, sys\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = [sys.executable, '-c', 'import signal; signal.pause()']\n"
    "print(subprocess.Popen(child, start_new_session=True).pid, flush=True)\n"
    "signal.pause()\n",
]


WAITS_FOR_ANOTHER = [
    sys.executable,
    "-c",
    "import signal, sys\n"
    "from pathlib import Path\n"
    "mine, other = map(Path, sys.argv[1:])\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
    "print('ready', flush=True)\n"
    "signal.sigwait([signal.SIGTERM])\n"
    "mine.touch()\n"
    "while not other.exists(): pass\n"
    "print('stopped', flush=True)\n",
]


def servers(home: Path) -> Servers:
    return Servers(home, logs=home / "logs", stop_order=(("first",), ("second", "third")))


@pytest.fixture
def bystander() -> Iterator[psutil.Process]:
    with subprocess.Popen(WAIT_FOREVER) as process:
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


def test_a_second_up_on_the_same_home_is_rejected(tmp_path: Path) -> None:
    with servers(tmp_path):
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"), servers(tmp_path):
            pass
        with servers(tmp_path / "other"):
            pass
    with servers(tmp_path):
        pass


def test_a_port_in_use_is_skipped(tmp_path: Path) -> None:
    with socket.socket() as taken, servers(tmp_path) as running:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < running.reserve_port(port, bind="127.0.0.1") < port + 100


def test_a_reserved_port_is_not_given_to_another_home(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with servers(tmp_path / "a") as first, servers(tmp_path / "b") as second:
        assert first.reserve_port(port, bind="127.0.0.1") == port
        assert second.reserve_port(port, bind="127.0.0.1") > port
    with servers(tmp_path / "b") as second:
        assert second.reserve_port(port, bind="127.0.0.1") == port


def test_servers_stop_in_the_given_order_and_the_last_step_runs_after_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    stop = Servers._stop
    monkeypatch.setattr(Servers, "_stop", lambda s, names: (stop(s, names), ended.extend(names)))
    with servers(tmp_path) as running:
        running.run_after_stop(lambda: ended.append("last step"))
        for name in ("third", "first", "second"):
            running.start(name, WAIT_FOREVER, {})
        running.require_alive()
    assert ended == ["first", "second", "third", "last step"]
    assert not (tmp_path / "up.json").exists()


def test_the_servers_of_a_group_stop_at_the_same_time(tmp_path: Path) -> None:
    files = (str(tmp_path / "second"), str(tmp_path / "third"))
    with servers(tmp_path) as running:
        running.start("second", [*WAITS_FOR_ANOTHER, *files], {})
        running.start("third", [*WAITS_FOR_ANOTHER, *reversed(files)], {})
        logs = [running.log(name) for name in ("second", "third")]
        eventually(lambda: all(log.read_text() for log in logs))
    assert [log.read_text().split() for log in logs] == [["ready", "stopped"]] * 2


def test_the_error_quotes_the_log_of_a_server_that_ended_by_itself(tmp_path: Path) -> None:
    with servers(tmp_path) as running:
        running.start("first", [sys.executable, "-c", "print('no port'); raise SystemExit(7)"], {})
        with pytest.raises(ServerDied, match=r"first .*exit code 7[^$]*no port"):
            eventually(lambda: running.require_alive() or False)


def test_servers_that_ignore_the_stop_signal_are_killed_with_their_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirpipe.orchestration.server_processes.STOP_SECONDS", 0.2)
    with servers(tmp_path) as running:
        running.start("first", IGNORES_SIGTERM, {})
        child = psutil.Process(pid_in(running.log("first")))
    assert not alive(child)


def test_only_processes_of_a_killed_up_are_killed(
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


def test_a_process_that_changes_its_title_keeps_its_mark(tmp_path: Path) -> None:
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
        running.write_record()
        running.start("first", IGNORES_SIGTERM, {})
        signal.pause()


class FakePostgres:
    """A fake Postgres that the servers need."""

    is_running = True

    def require_alive(self) -> None:
        if not self.is_running:
            raise ServerDied("Postgres ended by itself")


@pytest.mark.parametrize(
    "error", [MirpipeError("refused"), OperationalError("SELECT", {}, OSError())]
)
def test_an_error_is_replaced_if_a_server_has_died(tmp_path: Path, error: Exception) -> None:
    postgres = FakePostgres()
    with servers(tmp_path) as running:
        running.add_check(postgres.require_alive)
        with pytest.raises(type(error)), running.report_dead_server():
            raise error
        postgres.is_running = False
        with pytest.raises(ServerDied, match="Postgres"), running.report_dead_server():
            raise error


def test_a_dead_postgres_is_reported_before_the_servers_that_need_it(tmp_path: Path) -> None:
    postgres = FakePostgres()
    with servers(tmp_path) as running:
        running.add_check(postgres.require_alive)
        running.start("first", [sys.executable, "-c", "print('no Postgres'); exit(1)"], {})
        postgres.is_running = False
        running._running["first"].wait()
        with pytest.raises(ServerDied, match="Postgres ended by itself"):
            running.require_alive()
