"""DAGs with one task that runs, or is queued, while a test disturbs Airflow.

The tasks have the retries, the retry policy and the time limits of mirpipe's tasks.
"""

import os
import time

from airflow.sdk import dag, task

from mirpipe.orchestration import failure_message
from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS
from mirpipe.orchestration.dag_run_failure import fail_run_if_any_failed
from mirpipe.settings import settings


@dag(schedule=None, max_active_runs=1, default_args=DEFAULT_ARGS)
def held() -> None:
    @task
    def hold() -> None:
        """Write the id of this process to a file, and wait for the file `release`."""
        folder = settings().home
        with (folder / "held").open("a") as file:
            file.write(f"{os.getpid()}\n")
        while not (folder / "release").exists():
            time.sleep(0.1)

    fail_run_if_any_failed(hold())


@dag(schedule=None, max_active_runs=1, default_args=DEFAULT_ARGS)
def queued() -> None:
    @task
    def write() -> None:
        (settings().home / "written").touch()

    fail_run_if_any_failed(write())


@dag(schedule=None, default_args=DEFAULT_ARGS, **failure_message.callbacks())
def broken() -> None:
    @task(retries=0)
    def break_() -> None:
        raise ValueError("this task always fails")

    @task(trigger_rule="all_done")
    def continue_() -> None:
        pass

    broken = break_()
    fail_run_if_any_failed(broken, broken >> continue_())


broken()
held()
queued()
