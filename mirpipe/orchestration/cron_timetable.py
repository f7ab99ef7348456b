"""Timetable of a DAG that runs at fixed times."""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable


def cron_timetable(cron: str) -> CronTriggerTimetable:
    """Return the timetable for a cron expression, in UTC.

    A new DAG first runs at the next scheduled time. To achieve this, the DAG must have no start
    date, and `run_immediately` must be a duration of zero. If it is False, Airflow 3.3 also starts
    a run for a scheduled time that passed less than five minutes ago, contrary to its
    documentation.
    """
    return CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0))
