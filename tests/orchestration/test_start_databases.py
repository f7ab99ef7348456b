"""Databases for `mirpipe up`: the embedded Postgres is started if needed, and later stopped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.engine import close_engines
from mirpipe.orchestration.server_processes import Servers
from mirpipe.orchestration.start_databases import start_databases
from mirpipe.settings import Settings, settings
from tests.support.databases import Database

pytestmark = pytest.mark.database


@pytest.fixture
def home(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = short_folder / "up"
    monkeypatch.setenv("MIRPIPE_HOME", str(path))
    settings.cache_clear()
    close_engines()
    yield path
    close_engines()
    embedded_server(path).down()


def start_and_stop(home: Path, configured: Settings) -> tuple[Settings, str]:
    """Call `start_databases`, stop what it started, and return its result."""
    with Servers(home, logs=home / "logs", stop_order=()) as servers:
        return start_databases(configured, servers, show=lambda _line: None)


def test_only_a_server_that_was_started_here_is_stopped(home: Path) -> None:
    server = embedded_server(home)
    for was_running in (False, True):
        if was_running:
            server.up()
        configured, airflow_url = start_and_stop(home, settings())
        assert server.status().running == was_running
        assert "mirpipe_app" in (configured.database_url or "")
        assert "mirpipe_read" in (configured.reader_url or "")
        assert airflow_url.startswith("postgresql+psycopg2://airflow:")


def test_no_server_is_started_if_both_databases_are_configured(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MIRPIPE_AIRFLOW_DATABASE_URL", "postgresql+psycopg2://elsewhere/airflow")
    settings.cache_clear()
    configured, airflow_url = start_and_stop(tmp_path / "home", settings())
    assert airflow_url == "postgresql+psycopg2://elsewhere/airflow"
    assert configured == settings()
    assert not (tmp_path / "home" / "postgres").exists()
