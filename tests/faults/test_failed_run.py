"""A run with a failed task fails, although the tasks after it have run, and a message is sent."""

import pytest

from tests.faults.running_airflow import DONE_SECONDS, RunningAirflow
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def test_a_failed_run_is_reported_to_the_webhook(
    after_restart: RunningAirflow, webhook: Webhook
) -> None:
    after_restart.client.trigger("broken")
    eventually(lambda: after_restart.runs("broken") == ["failed"], seconds=DONE_SECONDS)
    states = {task.task_id: task.state for task in after_restart.tasks("broken")}
    assert states == {"break_": "failed", "continue_": "success"}
    eventually(lambda: webhook.received, seconds=DONE_SECONDS)
    (message,) = webhook.received
    assert message["title"] == "mirpipe: broken failed"
