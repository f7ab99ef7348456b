"""How often a task is tried after which error."""

import pytest
from airflow.sdk import RetryAction

from mirpipe.errors import PluginError, StageCrashed, StageFailed
from mirpipe.orchestration.retry_policy import RETRIES, RETRY_POLICY, STAGE_DELAY


def actions(error: Exception) -> list[RetryAction]:
    """Return what happens after each try that ends with the error."""
    tries = range(1, RETRIES + 2)
    return [RETRY_POLICY.evaluate(error, number, RETRIES).action for number in tries]


def test_a_stage_that_failed_is_tried_three_times_within_a_minute() -> None:
    retry, fail = RetryAction.RETRY, RetryAction.FAIL
    assert actions(StageFailed("ended with exit code 1"))[:3] == [retry, retry, fail]
    decision = RETRY_POLICY.evaluate(StageFailed("ended with exit code 1"), 1, RETRIES)
    assert decision.retry_delay == STAGE_DELAY


@pytest.mark.parametrize("error", [PluginError("no weights"), StageCrashed("a track crashed it")])
def test_a_task_whose_retry_would_fail_too_is_not_retried(error: Exception) -> None:
    assert set(actions(error)) == {RetryAction.FAIL}


def test_an_error_of_airflow_is_retried_by_the_arguments_of_the_task() -> None:
    assert set(actions(TimeoutError("the API server does not respond"))) == {RetryAction.DEFAULT}
