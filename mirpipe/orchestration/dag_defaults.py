"""Default arguments for every task: owner, number of retries, retry policy and time limit."""

from datetime import timedelta
from typing import Any

from mirpipe.orchestration.retry_policy import FIRST_DELAY, LONGEST_DELAY, RETRIES, RETRY_POLICY

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "mirpipe",
    "retries": RETRIES,
    "retry_delay": FIRST_DELAY,
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": LONGEST_DELAY,
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(hours=12),
}
