"""Rules for every DAG in dags/, including future DAGs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mirpipe.orchestration import airflow_home
from mirpipe.orchestration.dag_run_failure import LAST_TASK
from mirpipe.settings import PROJECT, Settings

HEAVY = {"torch", "librosa", "numba", "transformers", "streamlit", "onnxruntime", "scipy", "numpy"}
IMPORT_BUDGET = 70
"""Largest number of modules that loading all DAGs imports in addition to Airflow.

Airflow loads the DAGs every minute.
"""


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The DAGs as Airflow loads them, and a DAG with a task in a pool that does not exist."""
    home = tmp_path_factory.mktemp("home")
    copy = home / "copy"
    copy.mkdir()
    source = (PROJECT / "dags" / "ingest_library.py").read_text()
    (copy / "ingest_library.py").write_text(source.replace("pool=STAGES", 'pool="nowhere"'))
    return describe(home, PROJECT / "dags", copy)


def describe(
    home: Path,
    *folders: Path,
    gpu_workers: bool = False,
    notify: str | None = None,
    gate: Path | None = None,
) -> dict[str, Any]:
    """Return the DAGs in these folders, as Airflow loads them with these settings."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.dags.describe", *map(str, folders)],
        cwd=PROJECT,
        env=airflow_home.environment(
            Settings(
                home=home,
                references=[home / "r"],
                targets=[home / "t"],
                gpu_workers=gpu_workers,
                notify=notify,
                gate=gate,
            ),
            database_url=f"sqlite:///{home}/none.db",
            port=1,
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    output: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return output


@pytest.fixture(scope="module")
def loaded(description: dict[str, Any]) -> dict[str, Any]:
    dags: dict[str, Any] = description["folders"][0]
    return dags


def test_every_file_contains_one_dag_of_the_same_name(loaded: dict[str, Any]) -> None:
    assert loaded["import_errors"] == {}
    files = sorted(path.stem for path in (PROJECT / "dags").glob("*.py"))
    assert sorted(loaded["dags"]) == files
    assert {name: dag["file"] for name, dag in loaded["dags"].items()} == {f: f for f in files}


def test_every_dag_has_a_description(loaded: dict[str, Any]) -> None:
    for name, dag in loaded["dags"].items():
        assert len(dag["doc"].strip().splitlines()) > 3, name


def test_no_dag_runs_twice_at_a_time_or_catches_up(loaded: dict[str, Any]) -> None:
    for name, dag in loaded["dags"].items():
        assert (dag["max_active_runs"], dag["catchup"]) == (1, False), name


def test_every_pool_exists(loaded: dict[str, Any]) -> None:
    assert loaded["warnings"] == []


def test_every_task_has_an_owner_a_time_limit_and_a_retry_policy(
    loaded: dict[str, Any],
) -> None:
    for name, dag in loaded["dags"].items():
        for task_id, task in dag["tasks"].items():
            assert task["owner"] == "mirpipe", (name, task_id)
            assert task["execution_timeout"], (name, task_id)
            assert "mirpipe.errors.RejectedInput" in task["never_retried"][0], (name, task_id)
            assert task["retries"] > 0, (name, task_id)


def test_the_retries_outlive_an_hour_in_which_airflow_itself_fails(loaded: dict[str, Any]) -> None:
    for name, dag in loaded["dags"].items():
        for task_id, task in dag["tasks"].items():
            delays = [
                task["retry_delay"] * task["backoff"] ** retry for retry in range(task["retries"])
            ]
            assert sum(delays) > 3600, (name, task_id)


def test_every_dag_that_an_asset_starts_also_has_a_clock(loaded: dict[str, Any]) -> None:
    schedules = {name: (dag["cron"], dag["assets"]) for name, dag in loaded["dags"].items()}
    assert schedules == {
        "ingest_library": ("*/15 * * * *", []),
        "evaluate_retrieval": ("0 3 * * *", ["tracks", "remaining_tracks"]),
        "generate_music": ("0 5 * * *", ["metrics"]),
        "maintenance": ("0 2 * * *", []),
    }


def test_every_dag_has_the_task_that_makes_a_run_fail(loaded: dict[str, Any]) -> None:
    for name, dag in loaded["dags"].items():
        last = [task_id for task_id, task in dag["tasks"].items() if not task["next"]]
        assert last == [LAST_TASK], name
        assert dag["tasks"][LAST_TASK]["trigger_rule"] == "none_failed", name


def test_no_parameter_is_marked_as_required(loaded: dict[str, Any]) -> None:
    # Airflow's form puts a star on each parameter whose type does not include "null".
    types = {
        (name, param): schema_type
        for name, dag in loaded["dags"].items()
        for param, schema_type in dag["params"].items()
    }
    assert len(types) == 8
    assert all("null" in schema_type for schema_type in types.values()), types


@pytest.mark.slow
def test_failed_runs_are_reported_only_if_an_address_is_set(
    loaded: dict[str, Any], tmp_path: Path
) -> None:
    assert not any(dag["reports_failures"] for dag in loaded["dags"].values())
    (described,) = describe(tmp_path, PROJECT / "dags", notify="json://localhost")["folders"]
    assert all(dag["reports_failures"] for dag in described["dags"].values())


@pytest.mark.slow
def test_the_main_job_ends_with_the_gate_if_there_is_one(
    loaded: dict[str, Any], tmp_path: Path
) -> None:
    assert not any("gate" in dag["tasks"] for dag in loaded["dags"].values())
    (folder,) = describe(tmp_path, PROJECT / "dags", gate=tmp_path / "gate.yml")["folders"]
    for name in ("evaluate_retrieval", "generate_music"):
        tasks = folder["dags"][name]["tasks"]
        assert "gate" in tasks["report"]["next"], name
        assert tasks["gate"]["next"] == [LAST_TASK], name
        # A report that found no change is skipped, and a report that failed has no new results.
        assert tasks["gate"]["trigger_rule"] == "none_failed", name


def test_loading_dags_imports_no_model_library_and_few_modules(
    description: dict[str, Any], loaded: dict[str, Any]
) -> None:
    roots = {module.split(".")[0] for module in description["modules"]}
    assert not roots & HEAVY
    assert len(loaded["imported"]) <= IMPORT_BUDGET, loaded["imported"]


def test_a_pool_that_does_not_exist_is_reported(description: dict[str, Any]) -> None:
    (warning,) = description["folders"][1]["warnings"]
    assert "nowhere" in warning


def tasks_with(dags: dict[str, Any], argument: str, value: str) -> set[str]:
    """Return the tasks of all DAGs for which this argument has this value."""
    tasks = [task for dag in dags.values() for task in dag["tasks"].items()]
    return {task_id for task_id, task in tasks if task[argument] == value}


def test_without_gpu_workers_all_tasks_are_in_one_queue(loaded: dict[str, Any]) -> None:
    assert tasks_with(loaded["dags"], "queue", "gpu") == set()
    assert tasks_with(loaded["dags"], "pool", "gpu") == {"caption", "generate"}


@pytest.mark.slow
def test_with_gpu_workers_each_stage_that_uses_plugins_has_tasks_in_both_queues(
    loaded: dict[str, Any], tmp_path: Path
) -> None:
    (folder,) = describe(tmp_path, PROJECT / "dags", gpu_workers=True)["folders"]
    dags = folder["dags"]
    stages = {"caption", "generate", "embed", "embed_captions", "score"}
    plans = {f"plan_{stage}" for stage in stages - {"score"}} | {"plan_scores"}
    expected = {f"{task_id}_on_gpu" for task_id in stages | plans}
    assert tasks_with(dags, "queue", "gpu") == expected
    # A task that waited in the queue for longer than ten minutes would be queued again.
    assert tasks_with(dags, "pool", "gpu") == expected
    assert stages <= tasks_with(dags, "pool", "stages")
    for name, dag in dags.items():
        without = {task_id for task_id in dag["tasks"] if not task_id.endswith("_on_gpu")}
        assert without == set(loaded["dags"][name]["tasks"])
        for task_id in without - {LAST_TASK}:
            on_gpu = dag["tasks"].get(f"{task_id}_on_gpu", dag["tasks"][task_id])
            after = {name.removesuffix("_on_gpu") for name in dag["tasks"][task_id]["next"]}
            assert {name.removesuffix("_on_gpu") for name in on_gpu["next"]} == after, task_id
