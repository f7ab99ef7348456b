"""Airflow's time limits, as Airflow itself reads them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mirpipe.orchestration import airflow_home
from mirpipe.settings import Settings

pytestmark = pytest.mark.slow

READ_OPTIONS = """
import json, sys
from airflow.configuration import conf
print("\\n" + json.dumps({name: conf.getfloat(*name.split(".")) for name in sys.argv[1:]}))
"""
SET_BY_USER = (
    "core.dagbag_import_timeout",
    "core.task_success_overtime",
    "dag_processor.health_check_threshold",
    "dag_processor.stale_dag_threshold",
    "scheduler.scheduler_health_check_threshold",
    "scheduler.task_instance_heartbeat_timeout",
    "workers.max_failed_heartbeats",
)
OTHERS = (
    "dag_processor.dag_file_processor_timeout",
    "execution_api.jwt_expiration_time",
    "scheduler.task_queued_timeout",
    "workers.execution_api_retries",
    "workers.execution_api_retry_wait_max",
    "workers.execution_api_timeout",
    "workers.min_heartbeat_interval",
)


def read_options(home: Path, **settings: int) -> dict[str, float]:
    """Return the options that Airflow reads in the environment of `mirpipe up`."""
    environment = airflow_home.environment(
        Settings(home=home, **settings),  # type: ignore[arg-type]  # all values are integers
        database_url=f"sqlite:///{home}/none.db",
        port=1,
    )
    process = subprocess.run(
        [sys.executable, "-c", READ_OPTIONS, *SET_BY_USER, *OTHERS],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    options: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
    return options


def test_a_machine_that_needs_30_s_for_an_import_or_a_heartbeat_is_fast_enough(
    tmp_path: Path,
) -> None:
    options = read_options(tmp_path)
    assert {name: options[name] for name in SET_BY_USER} == dict.fromkeys(SET_BY_USER, 300)
    assert options["workers.execution_api_timeout"] >= 60
    assert options["workers.execution_api_retry_wait_max"] == 10
    assert options["workers.execution_api_retries"] * 5 >= 300
    assert options["scheduler.task_queued_timeout"] == 600


@pytest.mark.parametrize("timeout", [10, 1200])
def test_one_setting_changes_all_limits_and_the_others_fit_to_it(
    tmp_path: Path, timeout: int
) -> None:
    options = read_options(tmp_path, airflow_timeout=timeout)
    assert {name: options[name] for name in SET_BY_USER} == dict.fromkeys(SET_BY_USER, timeout)
    assert options["dag_processor.dag_file_processor_timeout"] > timeout
    # Airflow renews a token in the last fifth of its lifetime.
    assert options["execution_api.jwt_expiration_time"] / 5 > timeout
    # A worker does not give up its task before the scheduler does.
    interval = options["workers.min_heartbeat_interval"]
    assert options["workers.max_failed_heartbeats"] * interval >= timeout
