"""Restarting a killed embedded server despite orphaned processes and stale PIDs."""

import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.postgres.installed_programs import wheel_version
from tests.support.embedded_processes import is_alive, kill_9, query, up_in_a_child
from tests.support.waiting import eventually

pytestmark = pytest.mark.database


def test_a_killed_server_starts_again_with_all_committed_data(server: EmbeddedPostgres) -> None:
    server.up()
    query(server, "CREATE TABLE kept AS SELECT 42 AS value")
    killed_pid = kill_9(server)
    assert not server.status().running
    server.up()
    assert server.status().pid != killed_pid
    assert query(server, "SELECT value FROM kept") == 42


def test_a_query_that_still_runs_after_a_kill_does_not_prevent_the_next_start(
    server: EmbeddedPostgres,
) -> None:
    server.up()
    with closing(psycopg2.connect(server.url("app", driver="postgresql"), async_=1)) as connection:
        eventually(lambda: connection.poll() == psycopg2.extensions.POLL_OK)
        backend = connection.info.backend_pid
        # This query does not notice that the server's main process has been killed.
        connection.cursor().execute("SELECT count(*) FROM generate_series(1, 100000000000)")
        running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%100000000000%%' "
        eventually(
            lambda: query(server, running + "AND state = 'active' AND backend_type LIKE 'c%'")
        )
        kill_9(server)
        assert is_alive(backend)
        server.up()
    assert query(server, "SELECT 1") == 1
    assert not is_alive(backend)


@pytest.mark.slow
def test_a_killed_first_start_is_repeated_by_the_next(home: Path) -> None:
    child = up_in_a_child(home)
    eventually(lambda: list(home.glob("postgres/data.new-*/data/base")))
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate(timeout=10)
    assert not (home / "postgres" / "data").exists()
    server = embedded_server(home)
    server.up()
    assert query(server, "SELECT 1") == 1
    names = {path.name for path in server.folder.iterdir()}
    names.remove(f"programs-{wheel_version()}")
    assert names == {"data", "lock", "log", "pgpass", "provisioned", "server.lock", "socket"}


@pytest.mark.parametrize("state", ["living", "zombie"])
def test_a_stale_pid_of_another_process_is_not_trusted_and_not_killed(
    server: EmbeddedPostgres, state: str
) -> None:
    server.up()
    pid_file = server.data / "postmaster.pid"
    pid_file_text = pid_file.read_text()
    killed_pid = kill_9(server)
    other = subprocess.Popen(
        ["sleep", "600"], user=server.data.stat().st_uid if is_root() else None
    )
    try:
        if state == "zombie":
            other.send_signal(signal.SIGKILL)
            eventually(lambda: psutil.Process(other.pid).status() == psutil.STATUS_ZOMBIE)
        pid_file.write_text(pid_file_text.replace(str(killed_pid), str(other.pid), 1))
        assert not server.status().running
        server.down()
        server.up()
        assert server.status().pid not in (None, other.pid)
        server.down()
        assert state == "zombie" or other.poll() is None
    finally:
        other.kill()
        other.wait(10)


def test_a_server_is_recognised_if_its_working_directory_cannot_be_read(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(process: psutil.Process) -> str:
        raise psutil.AccessDenied(process.pid)

    server.up()
    pid = server.status().pid
    monkeypatch.setattr(psutil.Process, "cwd", denied)  # This happens to root in a container.
    server.up()
    assert server.status().pid == pid
    kill_9(server)
    assert server.status().pid is None
    server.up()
    server.down()
    assert not server.status().running


def is_root() -> bool:
    return os.geteuid() == 0
