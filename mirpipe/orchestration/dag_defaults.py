"""Default arguments for every task: owner, number of retries, retry policy and time limit."""

from datetime import timedelta
from typing import Any

from mirpipe.orchestration.retry_policy import RETRY_POLICY

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "mirpipe",
    "retries": 2,
    "retry_delay": timedelta(seconds=15),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(hours=12),
}
