"""Starting an embedded server: first start, later starts, and homes with unusual names."""

import os
import signal
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.postgres import tuning
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.postgres.socket_folder import socket_folder
from tests.support.embedded_processes import query, up_in_a_child

pytestmark = pytest.mark.database


def test_a_server_has_both_databases_and_pgvector(server: EmbeddedPostgres) -> None:
    server.up()
    status = server.status()
    assert status.running
    assert status.port is None
    assert status.version is not None
    assert status.version.startswith("18.")
    databases = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database"
    assert query(server, databases) == "airflow mirpipe postgres template0 template1"
    is_new_enough = "SELECT string_to_array(extversion, '.')::int[] >= '{0,8,4}' FROM pg_extension "
    assert query(server, is_new_enough + "WHERE extname = 'vector'") is True


def test_up_does_not_restart_a_running_server(server: EmbeddedPostgres) -> None:
    server.up()
    before = server.status()
    server.up()
    embedded_server(server.folder.parent).up()
    assert server.status() == before


def test_the_data_survives_a_restart(server: EmbeddedPostgres) -> None:
    server.up()
    query(server, "CREATE TABLE kept_down AS SELECT 42 AS value")
    server.down()
    server.up()
    assert query(server, "SELECT value FROM kept_down") == 42


@pytest.mark.slow
def test_processes_that_start_it_at_the_same_time_get_the_same_server(home: Path) -> None:
    print_pid = "print(server.status().pid)"
    children = [up_in_a_child(home, print_pid) for _ in range(3)]
    pids = {child.communicate(timeout=120)[0].strip() for child in children}
    assert pids == {str(embedded_server(home).status().pid)}


def test_the_server_keeps_running_if_its_starter_is_interrupted_or_killed(
    server: EmbeddedPostgres,
) -> None:
    starter = up_in_a_child(server.folder.parent, "print('up', flush=True); sys.stdin.read()")
    assert starter.stdout
    assert starter.stdout.readline() == "up\n"
    os.killpg(starter.pid, signal.SIGINT)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait(10)
    starter.stdout.close()
    assert query(server, "SELECT 1") == 1


def test_a_home_can_have_any_name_and_length(server: EmbeddedPostgres) -> None:
    home = server.folder.parent
    hostile = home.with_name(f'it\'s "$HOME" `id`; \\ % é{"long" * 30}')
    home.rename(hostile)
    moved = embedded_server(hostile)
    try:
        moved.up()
        with closing(psycopg2.connect(moved.url("reader", driver="postgresql"))) as connection:
            assert connection.info.user == "mirpipe_read"
        assert moved.status().running
    finally:
        moved.down()
        hostile.rename(home)
    assert socket_folder(moved.cluster_folder).parent == Path("/tmp")
    assert not socket_folder(moved.cluster_folder).exists()


def test_a_small_dev_shm_is_not_used(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "_PARALLEL_BUILD_BYTES", 1 << 60)
    server.up()
    assert query(server, "SHOW dynamic_shared_memory_type") == "mmap"
