"""Tests for the checks of pools and DAG files, each with a problem."""

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


def test_nothing_is_checked_in_a_home_without_airflow(home: Path) -> None:
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
def test_pools_are_compared_with_the_settings(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch, rows: str, level: str
) -> None:
    monkeypatch.setenv("MIRPIPE_AIRFLOW_DATABASE_URL", str(settings().owner_url))
    monkeypatch.setenv("MIRPIPE_SLOTS", "2")
    settings.cache_clear()
    with fresh_database.owner.begin() as owner:
        owner.execute(text("CREATE TABLE public.slot_pool (pool text, slots integer)"))
        owner.execute(text(f"INSERT INTO public.slot_pool VALUES {rows}"))
    (finding,) = airflow.pools()
    assert finding.level == level, finding


@pytest.mark.slow
def test_a_dag_that_cannot_be_imported_is_a_problem(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dag_import_errors, "PROJECT", home)
    (home / "dags").mkdir()
    (home / "dags" / "broken.py").write_text("from airflow.sdk import DAG\nimport nothing_there\n")
    (finding,) = airflow.dags()
    assert finding.level == "problem"
    assert "nothing_there" in finding.message


@pytest.mark.slow
def test_our_dags_can_be_imported(home: Path) -> None:
    assert [finding.level for finding in airflow.dags()] == ["ok"]
