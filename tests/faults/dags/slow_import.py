"""A DAG file whose import takes 30 s, as on an overloaded machine, until the file `fast` exists."""

import time

from airflow.sdk import dag, task

from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS
from mirpipe.orchestration.dag_run_failure import fail_run_if_any_failed
from mirpipe.settings import settings

IMPORT_SECONDS = 30

if not (settings().home / "fast").exists():
    time.sleep(IMPORT_SECONDS)


@dag(schedule=None, max_active_runs=1, default_args=DEFAULT_ARGS)
def slow_import() -> None:
    @task
    def work() -> int:
        return 1

    fail_run_if_any_failed(work())


slow_import()
