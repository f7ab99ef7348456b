"""Timetable of a DAG that runs at fixed times."""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable


def cron_timetable(cron: str) -> CronTriggerTimetable:
    """Return the timetable of a cron expression, in UTC.

    A new DAG waits for the next time of the expression. For that, the DAG must have no start date,
    and `run_immediately` must be a duration of zero: with False, Airflow 3.3 also runs a time that
    passed less than five minutes ago, although its documentation says otherwise.
    """
    return CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0))
