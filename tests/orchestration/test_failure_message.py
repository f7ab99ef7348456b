"""The message about a failed run arrives at a webhook."""

from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk import DAG

from mirpipe.orchestration.failure_message import FailureMessage
from mirpipe.settings import settings
from tests.support.webhook import Webhook, running_webhook

CONTEXT: Any = {"dag": DAG("evaluate_retrieval", schedule=None), "run_id": "manual__1"}
"""What Airflow always passes. If a task was removed, it passes nothing else."""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with running_webhook() as started:
        yield started


def send(monkeypatch: pytest.MonkeyPatch, addresses: str) -> None:
    monkeypatch.setenv("MIRPIPE_NOTIFY", addresses)
    settings.cache_clear()
    FailureMessage()(CONTEXT)


def test_a_webhook_receives_the_dag_and_the_run(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(monkeypatch, webhook.address)
    (message,) = webhook.received
    assert message["title"] == "mirpipe: evaluate_retrieval failed"
    assert "manual__1" in message["message"]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("nosuch://host", "not an Apprise URL"),
        ("json://127.0.0.1:9/closed", "could not be sent to all addresses"),
    ],
)
def test_an_address_that_does_not_work_does_not_stop_the_others(
    bad: str,
    problem: str,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    send(monkeypatch, f"{bad} {webhook.address} {webhook.address}/second")
    assert len(webhook.received) == 2
    assert problem in capsys.readouterr().out  # Airflow's log
