"""Stopping an embedded server: fast shutdown, immediate shutdown, and repeated stops."""

from contextlib import closing
from pathlib import Path

import psutil
import pytest

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.postgres import server_liveness, stop_server
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.postgres.server_liveness import is_server_lock_held
from mirpipe.postgres.socket_folder import socket_folder
from tests.support.embedded_processes import processes, query

pytestmark = pytest.mark.database


def test_down_ends_all_processes_and_can_be_repeated(server: EmbeddedPostgres) -> None:
    server.up()
    assert len(processes(server)) > 3
    with closing(server.connect()):
        server.down()
    assert processes(server) == []
    assert not is_server_lock_held(server.cluster_folder / "server.lock")
    assert list(socket_folder(server.cluster_folder).iterdir()) == []
    server.down()
    status = server.status()
    assert (status.running, status.pid, status.socket) == (False, None, None)


def test_down_stops_a_server_that_has_not_written_its_pid_yet(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.up()
    is_server_process = server_liveness._is_server_process
    checks_without_pid = iter(range(4))

    def is_visible_later(pid: int, data: Path) -> bool:
        return next(checks_without_pid, None) is None and is_server_process(pid, data)

    monkeypatch.setattr(server_liveness, "_is_server_process", is_visible_later)
    log_before = (server.cluster_folder / "log").read_text()
    server.down()
    assert processes(server) == []
    new_log = (server.cluster_folder / "log").read_text().removeprefix(log_before)
    assert "received fast shutdown request" in new_log
    assert "terminating any other active server processes" not in new_log


@pytest.mark.slow
def test_a_fast_shutdown_that_hangs_is_followed_by_an_immediate_one(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.up()
    query(server, "CREATE TABLE kept_stuck AS SELECT 42 AS value")
    monkeypatch.setattr(stop_server, "FAST_SHUTDOWN_SECONDS", 0.3)
    checkpointer = query(
        server, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
    )
    assert isinstance(checkpointer, int)
    psutil.Process(checkpointer).suspend()
    server.down()
    assert processes(server) == []
    server.up()
    assert query(server, "SELECT value FROM kept_stuck") == 42


def test_down_and_status_create_no_files(home: Path) -> None:
    embedded_server(home).down()
    assert not embedded_server(home).status().running
    assert not home.exists()
