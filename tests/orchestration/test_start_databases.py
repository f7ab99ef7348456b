"""Postgres for `mirpipe up`: the embedded one is started where it is needed, and then ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mirpipe.db.embedded_server import embedded_server
from mirpipe.db.engine import forget_engines
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
    forget_engines()
    yield path
    forget_engines()
    embedded_server(path).down()


def start(home: Path, chosen: Settings) -> tuple[Settings, str]:
    """What it gives while it runs; all that it started has ended when this returns."""
    with Servers(home, logs=home / "logs", stop_order=()) as servers:
        return start_databases(chosen, servers, say=lambda _line: None)


def test_a_server_that_it_started_it_ends_and_one_that_ran_it_leaves(home: Path) -> None:
    server = embedded_server(home)
    for ran_before in (False, True):
        if ran_before:
            server.up()
        chosen, airflow_url = start(home, settings())
        assert server.status().running == ran_before
        assert "mirpipe_app" in (chosen.database_url or "")
        assert "mirpipe_read" in (chosen.reader_url or "")
        assert airflow_url.startswith("postgresql+psycopg2://airflow:")


def test_where_both_databases_are_named_no_server_is_started(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MIRPIPE_AIRFLOW_DATABASE_URL", "postgresql+psycopg2://elsewhere/airflow")
    settings.cache_clear()
    chosen, airflow_url = start(tmp_path / "home", settings())
    assert airflow_url == "postgresql+psycopg2://elsewhere/airflow"
    assert chosen == settings()
    assert not (tmp_path / "home" / "postgres").exists()
