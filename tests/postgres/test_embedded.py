"""The embedded server: ports, passwords, and errors with remedies."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.errors import DatabaseError
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.postgres.socket_folder import socket_folder
from tests.support.embedded_processes import query

pytestmark = pytest.mark.database


@contextmanager
def restored_afterwards(path: Path) -> Iterator[Path]:
    """Yield the file so that the test can change it, and restore its content afterwards."""
    content = path.read_bytes()
    try:
        yield path
    finally:
        path.write_bytes(content)


def test_a_port_is_opened_only_on_request(server: EmbeddedPostgres) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    server.up()
    assert query(server, "SHOW listen_addresses") == ""
    with_port = embedded_server(server.folder.parent, port=port)
    with pytest.raises(DatabaseError, match="mirpipe db down"):
        with_port.up()
    server.down()
    with_port.up()
    assert with_port.status().port == port
    url = with_port.url("reader", driver="postgresql", tcp=True)
    with closing(psycopg2.connect(url)) as connection:
        assert connection.info.host == "127.0.0.1"
    assert "host=/" in with_port.url("reader")


def test_the_error_for_an_occupied_port_names_the_cause(server: EmbeddedPostgres) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as occupied:
        port = occupied.getsockname()[1]
        with pytest.raises(DatabaseError, match=r'"127\.0\.0\.1": Address already in use'):
            embedded_server(server.folder.parent, port=port).up()


def test_no_connection_is_possible_without_the_password(server: EmbeddedPostgres) -> None:
    server.up()
    url = server.url("owner", driver="postgresql")
    wrong_url = url.replace(url.split("@")[0].split(":")[-1], "wrong")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(wrong_url)
    assert oct((server.folder / "pgpass").stat().st_mode & 0o777) == "0o600"
    assert oct(socket_folder(server.cluster_folder).stat().st_mode & 0o777) == "0o700"
    assert oct(server.data.stat().st_mode & 0o777) == "0o700"
    assert query(server, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'trust'") == 0


def test_the_error_for_a_stopped_server_names_the_command_that_starts_it(
    server: EmbeddedPostgres,
) -> None:
    with pytest.raises(DatabaseError, match="mirpipe db up"):
        server.url("reader")


def test_the_error_for_a_failed_start_contains_the_log(server: EmbeddedPostgres) -> None:
    with restored_afterwards(server.data / "postgresql.conf") as settings:
        settings.write_text("no_such_setting = on\n")
        with pytest.raises(DatabaseError, match="no_such_setting"):
            server.up()


def test_the_error_for_missing_passwords_names_the_file(server: EmbeddedPostgres) -> None:
    password_file = server.folder / "pgpass"
    hidden = password_file.rename(password_file.with_name("hidden"))
    try:
        with pytest.raises(DatabaseError, match="pgpass is missing"):
            server.up()
        assert not password_file.exists()
    finally:
        hidden.rename(password_file)


def test_the_data_of_another_major_version_is_not_used(server: EmbeddedPostgres) -> None:
    with restored_afterwards(server.data / "PG_VERSION") as version:
        version.write_text("17\n")
        with pytest.raises(DatabaseError, match="created by Postgres 17"):
            server.up()


def test_the_error_for_a_home_that_cannot_be_created_names_the_setting(short_folder: Path) -> None:
    file = short_folder / "file"
    file.touch()
    with pytest.raises(DatabaseError, match="Set MIRPIPE_HOME"):
        embedded_server(file / "home").up()


def test_a_login_that_a_newer_mirpipe_adds_gets_a_password(server: EmbeddedPostgres) -> None:
    server.up()
    passwords, marker = server.folder / "pgpass", server.cluster_folder / "provisioned"
    others = [line for line in passwords.read_text().splitlines() if "_listener" not in line]
    passwords.write_text("\n".join(others) + "\n")
    marker.write_text("2 " + marker.read_text().split()[1])
    server.up()
    with closing(psycopg2.connect(server.url("listener", driver="postgresql"))) as connection:
        assert connection.info.user == "mirpipe_listener"
    assert passwords.read_text().splitlines()[: len(others)] == others
    assert passwords.stat().st_mode & 0o777 == 0o600
