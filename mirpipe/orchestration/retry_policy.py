"""Errors after which Airflow does not retry a task."""

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from mirpipe.errors import ConfigurationError, PluginError, RejectedInput, StageCrashed

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[RejectedInput, ConfigurationError, PluginError, StageCrashed],
            action=RetryAction.FAIL,
            reason="a retry would fail for the same cause",
        )
    ]
)
"""Retry policy: a task fails at once if a retry would fail too. Otherwise, the task is retried."""
