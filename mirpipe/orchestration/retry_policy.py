"""How often a task is tried: depends on whether its stage failed, or Airflow around it."""

from datetime import timedelta

from airflow.sdk import Context, ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule

from mirpipe.errors import (
    ConfigurationError,
    PluginError,
    RejectedInput,
    StageCrashed,
    StageFailed,
)

RETRIES = 7
"""Number of retries after a failure of Airflow itself, such as a missing heartbeat."""
FIRST_DELAY = timedelta(seconds=30)
"""Delay before the first of these retries. Each later delay is at least twice as long.

The delays add up to more than an hour, so the retries outlive an hour in which the machine is
overloaded. Airflow adds a random part to each delay.
"""
LONGEST_DELAY = timedelta(hours=1)
STAGE_TRIES = 3
"""Number of tries of a stage that ended with an error. More tries would delay the other tasks."""
STAGE_DELAY = timedelta(seconds=15)


class StageRetryPolicy(ExceptionRetryPolicy):
    """Retry policy with rules, and with few retries, soon, of a stage that ended with an error.

    A class, because Airflow's rules cannot depend on the number of the try.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Return whether to retry, and when. `try_number` starts at 1."""
        if not isinstance(exception, StageFailed):
            return super().evaluate(exception, try_number, max_tries, context)
        if try_number >= STAGE_TRIES:
            return RetryDecision.fail(f"the stage failed, and this was try {try_number}")
        return RetryDecision.retry(STAGE_DELAY, "the stage failed, and may succeed now")


RETRY_POLICY = StageRetryPolicy(
    rules=[
        RetryRule(
            exception=[RejectedInput, ConfigurationError, PluginError, StageCrashed],
            action=RetryAction.FAIL,
            reason="a retry would fail for the same cause",
        )
    ]
)
"""Retry policy: a task fails at once if a retry would fail too. Otherwise, the task is retried."""
