"""Delete data and logs whose retention time is over.

This DAG runs every night. It deletes rows that no view shows any more, with `mirpipe prune --yes`,
and the history and task logs of Airflow itself. The settings `MIRPIPE_KEEP_…` contain the retention
times, and the page "Operate mirpipe" in the documentation states the rule for each table.

Every task deletes in small steps. If a task is killed, the next run deletes the rest.
"""

from typing import Any

from airflow.sdk import dag, task

from mirpipe.orchestration import airflow_retention, failure_message
from mirpipe.orchestration.cron_timetable import cron_timetable
from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS
from mirpipe.orchestration.dag_run_failure import fail_run_if_any_failed
from mirpipe.orchestration.pools import STAGES
from mirpipe.orchestration.stage_subprocess import run_stage
from mirpipe.settings import settings


@dag(
    schedule=cron_timetable(settings().maintenance_cron),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["maintenance"],
    doc_md=__doc__,
    **failure_message.callbacks(),
)
def maintenance() -> None:
    @task(pool=STAGES)
    def prune() -> dict[str, Any]:
        return run_stage("prune", "--yes")

    @task
    def clean_airflow_history() -> str:
        return airflow_retention.clean_history(settings()).isoformat()

    @task
    def delete_old_logs() -> int:
        return airflow_retention.delete_old_logs(settings())

    fail_run_if_any_failed(prune(), clean_airflow_history(), delete_old_logs())


maintenance()
