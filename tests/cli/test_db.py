"""Tests for `mirpipe db`: every command on the embedded server and on the user's own server."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from typer.testing import CliRunner

from mirpipe.cli.db import app
from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.engine import close_engines
from mirpipe.errors import ConfigurationError
from mirpipe.settings import settings
from tests.support.databases import Database


def run(*arguments: str, exit_code: int = 0, typed: str | None = None) -> str:
    result = CliRunner().invoke(app, arguments, input=typed)
    assert result.exit_code == exit_code, result.output
    return result.stdout


def psql(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `mirpipe db psql` in a separate process, because psql replaces that process."""
    return subprocess.run(
        [sys.executable, "-c", "from mirpipe.cli.db import app; app()", "psql", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def home(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = short_folder / "home-for-db-commands"
    monkeypatch.setenv("MIRPIPE_HOME", str(path))
    settings.cache_clear()
    close_engines()
    yield path
    close_engines()
    embedded_server(path).down()
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.slow
def test_every_command_on_the_embedded_server(home: Path) -> None:
    assert json.loads(run("status", "--json", exit_code=1))["running"] is False
    assert "(before: empty)" in run("up")
    run("upgrade", exit_code=1)
    second_output = run("up")
    assert "before" not in second_output
    password = psycopg2.extensions.parse_dsn(run("url").strip())["password"]
    assert password not in second_output
    assert "postgresql://mirpipe_read@" in second_output
    assert "`mirpipe db url --role reader`" in second_output

    status = json.loads(run("status", "--json"))
    assert status["pid"] > 0
    assert status == {
        "running": True,
        "pid": status["pid"],
        "port": None,
        "socket": str(home / "postgres/socket"),
        "version": status["version"],
        "data": str(home / "postgres/data"),
    }
    for role, login in (("owner", "mirpipe_owner"), ("airflow", "airflow")):
        connection = psycopg2.connect(run("url", "--role", role).strip())
        assert connection.info.user == login
        connection.close()
    query = psql("-Atc", "SELECT current_user, count(*) FROM v_library")
    assert query.stdout == "mirpipe_read|0\n"

    assert run("down") == "Postgres is stopped\n"
    assert run("down") == "Postgres was not running\n"
    assert run("upgrade").startswith("nothing to upgrade: the data has the installed major version")

    run("remove", exit_code=1, typed="n\n")
    assert (home / "postgres/data").exists()
    (home / "other file").touch()
    assert run("remove", "--yes") == f"{home / 'postgres'} is deleted\n"
    assert run("remove", "--yes") == f"nothing to delete: there is no {home / 'postgres'}\n"
    assert {path.name for path in home.iterdir()} == {"other file", "up.lock"}


def test_psql_in_a_new_home_finds_the_schema(home: Path) -> None:
    query = psql("-Atc", "SELECT current_user, count(*) FROM mirpipe.v_library")
    assert query.stdout == "mirpipe_read|0\n", query.stderr


def test_downgrade_asks_for_confirmation(fresh_database: Database) -> None:
    assert "newer than base?" in run("downgrade", "base", exit_code=1, typed="n\n")
    assert "before" not in run("migrate")
    assert run("downgrade", "base", "--yes") == "schema empty\n"
    assert "(before: empty)" in run("migrate")


def test_the_users_server_is_used_instead_of_the_embedded_one(
    fresh_database: Database, home: Path
) -> None:
    connection = psycopg2.connect(run("url", "--role", "app").strip())
    assert (connection.info.user, connection.info.dbname) == ("mirpipe_app", fresh_database.name)
    connection.close()
    assert run("up").startswith("schema 0")
    assert not home.exists()


def test_commands_for_queries_need_a_login_that_can_only_read(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIRPIPE_READER_URL")
    settings.cache_clear()
    close_engines()
    process = psql("-c", "SELECT 1")
    assert process.returncode != 0
    assert "the login mirpipe_app has the privileges of mirpipe_app" in process.stderr
    with pytest.raises(ConfigurationError, match="MIRPIPE_READER_URL"):
        CliRunner().invoke(app, ["url"], catch_exceptions=False)
    assert psql("--role", "app", "--", "-Atc", "SELECT 1").stdout == "1\n"


@pytest.mark.parametrize("command", ["status", "down"])
def test_commands_for_the_embedded_server_say_so_if_the_user_has_another(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    assert "MIRPIPE_DATABASE_URL" not in CliRunner().invoke(app, [command]).stderr
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/db")
    settings.cache_clear()
    result = CliRunner().invoke(app, [command])
    assert "MIRPIPE_DATABASE_URL is set" in result.stderr
    assert "only for the embedded server" in result.stderr
    assert "secret" not in result.output
    assert "mirpipe db up" not in result.output


def test_psql_returns_its_exit_code_and_its_arguments_contain_no_password(
    fresh_database: Database,
) -> None:
    process = psql(
        "--role", "app", "--", "-At", "-c", "SELECT current_user", "-c",
        "\\! tr '\\0' ' ' < /proc/$PPID/cmdline", "-c", "SELECT 1/0",
    )  # fmt: skip
    login, command = process.stdout.splitlines()
    assert login == "mirpipe_app"
    assert command.startswith("psql --dbname postgresql://mirpipe_app@/")
    assert process.returncode == 1
