"""What every DAG shares: who owns it, and when a failed task is tried again."""

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

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
