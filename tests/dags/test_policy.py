"""What holds for every DAG in dags/, those that are yet to come included."""

import json
import subprocess
import sys
from typing import Any

import pytest

from mirpipe.orchestration import airflow_home
from mirpipe.settings import PROJECT, Settings

HEAVY = {"torch", "librosa", "numba", "transformers", "streamlit", "onnxruntime", "scipy", "numpy"}
IMPORT_BUDGET = 60
"""Modules that reading all DAGs may import on top of Airflow itself: it is done every minute."""


@pytest.fixture(scope="module")
def airflows_view(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow makes of dags/, and of a copy with a task in a pool that nobody makes."""
    home = tmp_path_factory.mktemp("home")
    tampered = home / "tampered"
    tampered.mkdir()
    source = (PROJECT / "dags" / "ingest_library.py").read_text()
    (tampered / "ingest_library.py").write_text(source.replace("pool=STAGES", 'pool="nowhere"'))
    ended = subprocess.run(
        [sys.executable, "-m", "tests.dags.describe", str(PROJECT / "dags"), str(tampered)],
        cwd=PROJECT,
        env=airflow_home.environment(
            Settings(home=home, references=[home / "r"], targets=[home / "t"]),
            database_url=f"sqlite:///{home}/none.db",
            port=1,
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def described(airflows_view: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = airflows_view["folders"][0]
    return found


def test_every_file_is_one_dag_of_its_name(described: dict[str, Any]) -> None:
    assert described["import_errors"] == {}
    files = sorted(path.stem for path in (PROJECT / "dags").glob("*.py"))
    assert sorted(described["dags"]) == files
    assert {name: dag["file"] for name, dag in described["dags"].items()} == {f: f for f in files}


def test_every_dag_says_what_it_does(described: dict[str, Any]) -> None:
    for name, dag in described["dags"].items():
        assert len(dag["doc"].strip().splitlines()) > 3, name


def test_no_dag_runs_beside_itself_or_for_times_gone_by(described: dict[str, Any]) -> None:
    for name, dag in described["dags"].items():
        assert (dag["max_active_runs"], dag["catchup"]) == (1, False), name


def test_every_pool_exists(described: dict[str, Any]) -> None:
    assert described["warnings"] == []


def test_every_task_has_an_owner_a_time_limit_and_knows_what_not_to_retry(
    described: dict[str, Any],
) -> None:
    for name, dag in described["dags"].items():
        for task_id, task in dag["tasks"].items():
            assert task["owner"] == "mirpipe", (name, task_id)
            assert task["execution_timeout"], (name, task_id)
            assert "mirpipe.errors.RejectedInput" in task["never_retried"][0], (name, task_id)
            assert task["retries"] == (0 if task_id == "anything_failed" else 2), (name, task_id)


def test_every_dag_ends_with_the_task_that_shows_failures(described: dict[str, Any]) -> None:
    assert all("anything_failed" in dag["tasks"] for dag in described["dags"].values())


def test_reading_dags_imports_no_model_and_little_else(
    airflows_view: dict[str, Any], described: dict[str, Any]
) -> None:
    roots = {module.split(".")[0] for module in airflows_view["modules"]}
    assert not roots & HEAVY
    assert len(described["imported"]) <= IMPORT_BUDGET, described["imported"]


def test_a_pool_that_nobody_makes_is_found(airflows_view: dict[str, Any]) -> None:
    (warning,) = airflows_view["folders"][1]["warnings"]
    assert "nowhere" in warning
