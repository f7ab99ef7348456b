"""`mirpipe db`, as it is typed."""

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
from mirpipe.db.embedded_server import embedded_server
from mirpipe.db.engine import forget_engines
from mirpipe.settings import settings
from tests.support.databases import Database


def run(*arguments: str, exit_code: int = 0, answer: str | None = None) -> str:
    result = CliRunner().invoke(app, arguments, input=answer)
    assert result.exit_code == exit_code, result.output
    return result.stdout


def psql(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the command becomes psql."""
    return subprocess.run(
        [sys.executable, "-c", "from mirpipe.cli.db import app; app()", "psql", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def home(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = short_folder / "of-the-command-line"
    monkeypatch.setenv("MIRPIPE_HOME", str(path))
    settings.cache_clear()
    forget_engines()
    yield path
    forget_engines()
    embedded_server(path).down()
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.slow
def test_a_day_with_the_embedded_server(home: Path) -> None:
    assert json.loads(run("status", "--json", exit_code=1))["running"] is False
    assert "before: empty" in run("up")
    again = run("up")
    assert "before" not in again
    password = psycopg2.extensions.parse_dsn(run("url").strip())["password"]
    assert password not in again
    assert "postgresql://mirpipe_read@" in again
    assert "`mirpipe db url --role reader`" in again

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
        link = psycopg2.connect(run("url", "--role", role).strip())
        assert link.info.user == login
        link.close()
    asked = psql("-Atc", "SELECT current_user, count(*) FROM v_library")
    assert asked.stdout == "mirpipe_read|0\n"

    assert run("down") == "Postgres is stopped\n"
    assert run("down") == "Postgres was not running\n"

    run("remove", exit_code=1, answer="n\n")
    assert (home / "postgres/data").exists()
    (home / "mine").touch()
    assert run("remove", "--yes") == f"{home / 'postgres'} is deleted\n"
    assert run("remove", "--yes") == f"nothing to delete: there is no {home / 'postgres'}\n"
    assert [path.name for path in home.iterdir()] == ["mine"]


def test_going_back_asks_first(fresh_database: Database) -> None:
    assert "newer than base hold?" in run("downgrade", "base", exit_code=1, answer="n\n")
    assert "before" not in run("migrate")
    assert run("downgrade", "base", "--yes") == "schema empty\n"
    assert "before: empty" in run("migrate")


def test_a_server_of_the_users_is_asked_in_place_of_the_embedded_one(
    fresh_database: Database, home: Path
) -> None:
    link = psycopg2.connect(run("url", "--role", "app").strip())
    assert (link.info.user, link.info.dbname) == ("mirpipe_app", fresh_database.name)
    link.close()
    assert run("up").startswith("schema 0")
    assert not home.exists()


@pytest.mark.parametrize("command", ["status", "down"])
def test_with_a_server_of_the_users_it_is_said_that_only_the_embedded_one_is_meant(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    assert "MIRPIPE_DATABASE_URL" not in CliRunner().invoke(app, [command]).stderr
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/db")
    settings.cache_clear()
    said = CliRunner().invoke(app, [command])
    assert "MIRPIPE_DATABASE_URL is set" in said.stderr
    assert "embedded server alone" in said.stderr
    assert "secret" not in said.output
    assert "mirpipe db up" not in said.output


def test_psql_ends_as_psql_does_and_shows_its_password_to_nobody(fresh_database: Database) -> None:
    asked = psql(
        "--role", "app", "--", "-At", "-c", "SELECT current_user", "-c",
        "\\! tr '\\0' ' ' < /proc/$PPID/cmdline", "-c", "SELECT 1/0",
    )  # fmt: skip
    login, command = asked.stdout.splitlines()
    assert login == "mirpipe_app"
    assert command.startswith("psql --dbname postgresql://mirpipe_app@/")
    assert asked.returncode == 1
