"""What every DAG shares: its timetable, its owner, and when a failed task is tried again."""

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, ExceptionRetryPolicy, RetryAction, RetryRule

from mirpipe.errors import ConfigurationError, PluginError, RejectedInput, StageCrashed

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[RejectedInput, ConfigurationError, PluginError, StageCrashed],
            action=RetryAction.FAIL,
            reason="trying again would end in the same way",
        )
    ]
)

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "mirpipe",
    "retries": 2,
    "retry_delay": timedelta(seconds=15),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(hours=12),
}


def on_time(cron: str) -> CronTriggerTimetable:
    """The timetable of a cron expression in UTC; a DAG that is new waits for its next time.

    For that the DAG has no start date, and `run_immediately` is no time at all: at False, Airflow
    3.3 runs a time that is less than five minutes past, whatever its documentation says.
    """
    return CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0))
