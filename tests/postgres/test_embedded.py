"""The embedded server: it comes up from whatever was left behind, and goes down without a trace."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import psycopg2
import pytest

from mirpipe.db.embedded_server import embedded_server
from mirpipe.errors import DatabaseError
from mirpipe.postgres import cluster, embedded, postmaster
from mirpipe.postgres.embedded import EmbeddedPostgres
from tests.support.waiting import eventually

pytestmark = pytest.mark.database

UP = "import sys, pathlib; from mirpipe.db.embedded_server import embedded_server as E; "
UP += "E(pathlib.Path(sys.argv[1])).up(); "


def up_in_a_child(home: Path, then: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", UP + then, home],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ask(server: EmbeddedPostgres, question: str, database: str = "mirpipe") -> object:
    with closing(server.connect(database)) as link, link.cursor() as sql:
        sql.execute(question)
        row = sql.fetchone() if sql.description else None
        return row[0] if row else None


def processes(server: EmbeddedPostgres) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd().startswith(str(server.data)):
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_9(server: EmbeddedPostgres) -> int:
    pid = server.status().pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not lives(pid))
    return pid


def lives(pid: int) -> bool:
    """Whether the process runs; its parent may be slow to bury it."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def altered(path: Path) -> Iterator[Path]:
    """`path`, which has its content back afterwards."""
    content = path.read_bytes()
    try:
        yield path
    finally:
        path.write_bytes(content)


# Coming up ---------------------------------------------------------------------------------------


def test_a_server_has_both_databases_and_pgvector(server: EmbeddedPostgres) -> None:
    server.up()
    status = server.status()
    assert status.running
    assert status.port is None
    assert status.version is not None
    assert status.version.startswith("18.")
    databases = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database"
    assert ask(server, databases) == "airflow mirpipe postgres template0 template1"
    floor = "SELECT string_to_array(extversion, '.')::int[] >= '{0,8,4}' FROM pg_extension "
    assert ask(server, floor + "WHERE extname = 'vector'") is True


def test_up_leaves_a_running_server_alone(server: EmbeddedPostgres) -> None:
    server.up()
    first = server.status()
    server.up()
    embedded_server(server.folder.parent).up()
    assert server.status() == first


def test_data_outlive_a_restart(server: EmbeddedPostgres) -> None:
    server.up()
    ask(server, "CREATE TABLE kept_down AS SELECT 42 AS answer")
    server.down()
    server.up()
    assert ask(server, "SELECT answer FROM kept_down") == 42


@pytest.mark.slow
def test_ups_at_once_make_one_server(home: Path) -> None:
    print_pid = "print(E(pathlib.Path(sys.argv[1])).status().pid)"
    children = [up_in_a_child(home, print_pid) for _ in range(3)]
    answers = {child.communicate(timeout=120)[0].strip() for child in children}
    assert answers == {str(embedded_server(home).status().pid)}


def test_the_server_outlives_whoever_started_it_and_their_ctrl_c(
    server: EmbeddedPostgres,
) -> None:
    starter = up_in_a_child(server.folder.parent, "print('up', flush=True); sys.stdin.read()")
    assert starter.stdout
    assert starter.stdout.readline() == "up\n"
    os.killpg(starter.pid, signal.SIGINT)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait(10)
    starter.stdout.close()
    assert ask(server, "SELECT 1") == 1


def test_a_home_of_any_name_and_length_will_do(server: EmbeddedPostgres) -> None:
    home = server.folder.parent
    hostile = home.with_name(f'it\'s "$HOME" `id`; \\ % é{"long" * 30}')
    home.rename(hostile)
    moved = embedded_server(hostile)
    try:
        moved.up()
        with closing(psycopg2.connect(moved.url("reader", driver="postgresql"))) as link:
            assert link.info.user == "mirpipe_read"
        assert moved.status().running
    finally:
        moved.down()
        hostile.rename(home)
    assert cluster.socket_folder(moved.place).parent == Path("/tmp")
    assert not cluster.socket_folder(moved.place).exists()


def test_a_small_dev_shm_is_not_used(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_PARALLEL_BUILD_BYTES", 1 << 60)
    server.up()
    assert ask(server, "SHOW dynamic_shared_memory_type") == "mmap"


# Coming up again after a kill --------------------------------------------------------------------


def test_a_killed_server_comes_up_with_what_was_committed(server: EmbeddedPostgres) -> None:
    server.up()
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    killed = kill_9(server)
    assert not server.status().running
    server.up()
    assert server.status().pid != killed
    assert ask(server, "SELECT answer FROM kept") == 42


def test_a_query_that_outlives_the_killed_server_does_not_stop_the_next(
    server: EmbeddedPostgres,
) -> None:
    server.up()
    with closing(psycopg2.connect(server.url("app", driver="postgresql"), async_=1)) as link:
        eventually(lambda: link.poll() == psycopg2.extensions.POLL_OK)
        backend = link.info.backend_pid
        # computes and never looks whether its server is there
        link.cursor().execute("SELECT count(*) FROM generate_series(1, 100000000000)")
        running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%100000000000%%' "
        eventually(lambda: ask(server, running + "AND state = 'active' AND backend_type LIKE 'c%'"))
        kill_9(server)
        assert lives(backend)
        server.up()
    assert ask(server, "SELECT 1") == 1
    assert not lives(backend)


@pytest.mark.slow
def test_a_killed_first_start_is_begun_anew(home: Path) -> None:
    child = up_in_a_child(home)
    eventually(lambda: list(home.glob("postgres/data.new-*/data/base")))
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate(timeout=10)
    assert not (home / "postgres" / "data").exists()
    server = embedded_server(home)
    server.up()
    assert ask(server, "SELECT 1") == 1
    left = {path.name for path in server.folder.iterdir()}
    assert left == {"data", "lock", "log", "pgpass", "provisioned", "server.lock", "socket"}


@pytest.mark.parametrize("state", ["living", "zombie"])
def test_the_pid_of_another_process_is_neither_trusted_nor_killed(
    server: EmbeddedPostgres, state: str
) -> None:
    server.up()
    pid_file = server.data / "postmaster.pid"
    written = pid_file.read_text()
    killed = kill_9(server)
    other = subprocess.Popen(["sleep", "600"], user=server.data.stat().st_uid if root() else None)
    try:
        if state == "zombie":
            other.send_signal(signal.SIGKILL)
            eventually(lambda: psutil.Process(other.pid).status() == psutil.STATUS_ZOMBIE)
        pid_file.write_text(written.replace(str(killed), str(other.pid), 1))
        assert not server.status().running
        server.down()
        server.up()
        assert server.status().pid not in (None, other.pid)
        server.down()
        assert state == "zombie" or other.poll() is None
    finally:
        other.kill()
        other.wait(10)


def test_a_server_is_known_where_the_kernel_hides_its_folder(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden(process: psutil.Process) -> str:
        raise psutil.AccessDenied(process.pid)

    server.up()
    pid = server.status().pid
    monkeypatch.setattr(psutil.Process, "cwd", hidden)  # root in a container
    server.up()
    assert server.status().pid == pid
    kill_9(server)
    assert server.status().pid is None
    server.up()
    server.down()
    assert not server.status().running


# Going down --------------------------------------------------------------------------------------


def test_down_leaves_no_process_and_may_be_repeated(server: EmbeddedPostgres) -> None:
    server.up()
    assert len(processes(server)) > 3
    with closing(server.connect()):
        server.down()
    assert processes(server) == []
    assert not postmaster.occupied(server.place / "server.lock")
    assert list(cluster.socket_folder(server.place).iterdir()) == []
    server.down()
    status = server.status()
    assert (status.running, status.pid, status.socket) == (False, None, None)


def test_down_ends_a_server_that_has_hardly_started(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.up()
    hidden = iter(range(4))  # as long as it has not written its pid
    monkeypatch.setattr(
        embedded,
        "postmaster",
        lambda data: None if next(hidden, None) is not None else postmaster.postmaster(data),
    )
    log = (server.place / "log").read_text()
    server.down()
    assert processes(server) == []
    said = (server.place / "log").read_text().removeprefix(log)
    assert "received fast shutdown request" in said
    assert "terminating any other active server processes" not in said


@pytest.mark.slow
def test_a_shutdown_that_is_stuck_is_made_an_immediate_one(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.up()
    ask(server, "CREATE TABLE kept_stuck AS SELECT 42 AS answer")
    monkeypatch.setattr(embedded, "PATIENCE_SECONDS", 0.3)
    checkpointer = ask(
        server, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
    )
    assert isinstance(checkpointer, int)
    psutil.Process(checkpointer).suspend()
    server.down()
    assert processes(server) == []
    server.up()
    assert ask(server, "SELECT answer FROM kept_stuck") == 42


def test_down_makes_nothing_where_nothing_was(home: Path) -> None:
    embedded_server(home).down()
    assert not embedded_server(home).status().running
    assert not home.exists()


# Ways in -----------------------------------------------------------------------------------------


def test_a_port_is_opened_only_when_asked_for(server: EmbeddedPostgres) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    server.up()
    assert ask(server, "SHOW listen_addresses") == ""
    with_port = embedded_server(server.folder.parent, port=port)
    with pytest.raises(DatabaseError, match="mirpipe db down"):
        with_port.up()
    server.down()
    with_port.up()
    assert with_port.status().port == port
    url = with_port.url("reader", driver="postgresql", tcp=True)
    with closing(psycopg2.connect(url)) as link:
        assert link.info.host == "127.0.0.1"
    assert "host=/" in with_port.url("reader")


def test_a_taken_port_is_named_in_the_error(server: EmbeddedPostgres) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DatabaseError, match=r'"127\.0\.0\.1": Address already in use'):
            embedded_server(server.folder.parent, port=port).up()


def test_nobody_comes_in_without_a_password(server: EmbeddedPostgres) -> None:
    server.up()
    url = server.url("owner", driver="postgresql")
    without = url.replace(url.split("@")[0].split(":")[-1], "wrong")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(without)
    assert oct((server.folder / "pgpass").stat().st_mode & 0o777) == "0o600"
    assert oct(cluster.socket_folder(server.place).stat().st_mode & 0o777) == "0o700"
    assert oct(server.data.stat().st_mode & 0o777) == "0o700"
    assert ask(server, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'trust'") == 0


def test_a_server_that_is_down_says_how_to_start_it(server: EmbeddedPostgres) -> None:
    with pytest.raises(DatabaseError, match="mirpipe db up"):
        server.url("reader")


# What cannot be mended ---------------------------------------------------------------------------


def test_a_server_that_does_not_start_shows_its_log(server: EmbeddedPostgres) -> None:
    with altered(server.data / "postgresql.conf") as settings:
        settings.write_text("no_such_setting = on\n")
        with pytest.raises(DatabaseError, match="no_such_setting"):
            server.up()


def test_lost_passwords_are_named(server: EmbeddedPostgres) -> None:
    passfile = server.folder / "pgpass"
    hidden = passfile.rename(passfile.with_name("hidden"))
    try:
        with pytest.raises(DatabaseError, match="pgpass is missing"):
            server.up()
        assert not passfile.exists()
    finally:
        hidden.rename(passfile)


def test_the_cluster_of_another_major_version_is_left_alone(server: EmbeddedPostgres) -> None:
    with altered(server.data / "PG_VERSION") as version:
        version.write_text("17\n")
        with pytest.raises(DatabaseError, match="made by Postgres 17"):
            server.up()


def test_a_home_that_cannot_be_made_is_named(short_folder: Path) -> None:
    in_the_way = short_folder / "file"
    in_the_way.touch()
    with pytest.raises(DatabaseError, match="set MIRPIPE_HOME"):
        embedded_server(in_the_way / "home").up()


def root() -> bool:
    return os.geteuid() == 0
