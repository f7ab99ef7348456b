"""Checks of Airflow and of ports, each thing broken once."""

import fcntl
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.operations.doctor import airflow
from mirpipe.orchestration import airflow_home, dag_import_errors
from mirpipe.settings import settings
from tests.support.databases import Database


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path))
    settings.cache_clear()
    return tmp_path


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_of_another_program_is_told(
    home: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_DASHBOARD_PORT", str(taken))
    settings.cache_clear()
    found = {one.message: one for one in airflow.ports()}
    assert "MIRPIPE_DASHBOARD_PORT" in found[f"{taken} is another program's"].remedy


def test_what_runs_and_what_was_killed_is_told_apart(home: Path) -> None:
    (home / "up.json").write_text("{}")
    with (home / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (running,) = airflow.ports()
    assert (running.level, running.message[:12]) == ("ok", "`mirpipe up`")
    killed = next(iter(airflow.ports()))
    assert (killed.level, "was killed" in killed.message) == ("warning", True)


def test_a_home_without_airflow_is_not_asked(home: Path) -> None:
    assert list(airflow.check()) == []
    assert not airflow_home.folder(settings()).exists()


@pytest.mark.parametrize(
    ("rows", "level"),
    [
        ("('stages', 2), ('gpu', 1)", "ok"),
        ("('stages', 9), ('gpu', 1)", "warning"),
        ("('stages', 2)", "problem"),
    ],
)
def test_pools_are_held_to_the_settings(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch, rows: str, level: str
) -> None:
    monkeypatch.setenv("MIRPIPE_AIRFLOW_DATABASE_URL", str(settings().owner_url))
    monkeypatch.setenv("MIRPIPE_SLOTS", "2")
    settings.cache_clear()
    with fresh_database.owner.begin() as owner:
        owner.execute(text("CREATE TABLE public.slot_pool (pool text, slots integer)"))
        owner.execute(text(f"INSERT INTO public.slot_pool VALUES {rows}"))
    (found,) = airflow.pools()
    assert found.level == level, found


@pytest.mark.slow
def test_a_dag_that_cannot_be_imported_is_a_problem(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dag_import_errors, "PROJECT", home)
    (home / "dags").mkdir()
    (home / "dags" / "broken.py").write_text("from airflow.sdk import DAG\nimport nothing_there\n")
    (found,) = airflow.dags()
    assert found.level == "problem"
    assert "nothing_there" in found.message


@pytest.mark.slow
def test_our_dags_can_be_imported(home: Path) -> None:
    assert [one.level for one in airflow.dags()] == ["ok"]
