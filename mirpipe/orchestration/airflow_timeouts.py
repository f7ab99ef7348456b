"""Airflow's time limits, chosen so that a busy machine does not make running tasks fail.

On an overloaded machine, importing a DAG and sending a heartbeat were each seen to take 30 s. The
meaning of each option is documented in Airflow's configuration reference
(https://airflow.apache.org/docs/apache-airflow/stable/configurations-ref.html).
"""


def options(timeout_seconds: int) -> dict[str, str]:
    """Return the options by name. `timeout_seconds` is the setting MIRPIPE_AIRFLOW_TIMEOUT."""
    configured = str(timeout_seconds)
    return {
        # Every task imports its DAG file, not only the DAG processor. Airflow's default is 30 s.
        "CORE__DAGBAG_IMPORT_TIMEOUT": configured,
        # The limit for the process that imports the file. It must be longer than the limit above,
        # which reports the file. Airflow's default is 50 s.
        "DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "3600",
        # A DAG counts as removed if it is missing for this long after its file was imported.
        "DAG_PROCESSOR__STALE_DAG_THRESHOLD": configured,
        "DAG_PROCESSOR__HEALTH_CHECK_THRESHOLD": configured,
        # A scheduler without a heartbeat for this long counts as dead, and its tasks are reset.
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": configured,
        # A task without a heartbeat for this long counts as dead, and is retried.
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": configured,
        # A worker stops its task after this many failed heartbeats in a row. There is at most one
        # per second, so the worker does not give up before the scheduler does.
        "WORKERS__MAX_FAILED_HEARTBEATS": configured,
        # A task is stopped if it has not ended this long after it reported success. A report to a
        # slow API server counts. Airflow's default is 20 s.
        "CORE__TASK_SUCCESS_OVERTIME": configured,
        # Time for one request to the API server. Airflow's default is 5 s.
        "WORKERS__EXECUTION_API_TIMEOUT": "60",
        # The longest wait between two attempts: a task notices soon that a restarted API server is
        # back. Airflow's default of 90 s uses up a large part of the limit for heartbeats.
        "WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "10",
        # If the server refuses connections, sixty attempts take about five minutes. After that, the
        # try of the task has failed, and the task is retried.
        "WORKERS__EXECUTION_API_RETRIES": "60",
        # A heartbeat renews a task's token in the last fifth of this time: in 24 minutes, which are
        # longer than the largest MIRPIPE_AIRFLOW_TIMEOUT. Airflow's default leaves 2 minutes.
        "EXECUTION_API__JWT_EXPIRATION_TIME": "7200",
        # A task that no worker has started after this time is queued again.
        "SCHEDULER__TASK_QUEUED_TIMEOUT": "600",
    }
