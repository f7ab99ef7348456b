"""The task `gate`: it returns the verdict, and announces it only if it has changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.sdk.bases.notifier import BaseNotifier

from mirpipe.errors import StageFailed
from mirpipe.orchestration import gate_task
from mirpipe.orchestration.gate_task import GateMessage, judge_gate
from mirpipe.settings import settings
from tests.operations.gate.judged_library import JudgedLibrary
from tests.support.databases import Database
from tests.support.webhook import Webhook, running_webhook

RULE = """
rules:
  - {name: melody, check: mean, metric: aligned_melody, encoder: made_up, at_least: %s}
"""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with running_webhook() as started:
        yield started


@pytest.fixture
def gate(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, webhook: Webhook
) -> Path:
    """Return the file of the configured gate, in a library with one run and a mean of 0.81."""
    JudgedLibrary(fresh_database).publish()
    file = tmp_path / "weekly.yml"
    monkeypatch.setenv("MIRPIPE_GATE", str(file))
    monkeypatch.setenv("MIRPIPE_NOTIFY", webhook.address)
    settings.cache_clear()
    return file


def test_a_message_is_sent_only_when_the_verdict_changes(gate: Path, webhook: Webhook) -> None:
    verdicts = []
    for limit in (0.5, 0.9, 0.9, 0.81, 0.5, 0.5):
        gate.write_text(RULE % limit)
        verdicts.append(judge_gate({})["verdict"])
    assert verdicts == ["passed", "failed", "failed", "undecided", "passed", "passed"]
    assert [message["title"] for message in webhook.received] == [
        "mirpipe: gate weekly failed",
        "mirpipe: gate weekly undecided",
        "mirpipe: gate weekly passed",
    ]
    first, second, third = (message["message"] for message in webhook.received)
    assert "Run 1: the verdict was passed and is now failed." in first
    assert "melody: failed. Mean aligned melody of made_up over 6 targets" in first
    assert "the verdict was failed and is now undecided." in second
    assert third == "Run 1: the verdict was undecided and is now passed."


def test_the_message_is_sent_by_an_airflow_notifier(
    gate: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.write_text(RULE % 0.9)
    contexts = []
    monkeypatch.setattr(GateMessage, "notify", lambda _, context: contexts.append(context))
    judge_gate({"run_id": "by hand"})
    assert issubclass(GateMessage, BaseNotifier)
    assert [context["run_id"] for context in contexts] == ["by hand"]


def test_a_task_that_is_killed_before_its_message_sends_it_when_it_is_tried_again(
    gate: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.write_text(RULE % 0.9)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gate_task, "send_message", killed)
        with pytest.raises(KeyboardInterrupt):
            judge_gate({})
    assert webhook.received == []
    assert judge_gate({})["verdict"] == "failed"
    assert len(webhook.received) == 1


def test_a_message_that_could_not_be_sent_is_sent_by_the_next_run(
    gate: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.write_text(RULE % 0.9)
    with running_webhook() as stopped:
        pass
    monkeypatch.setenv("MIRPIPE_NOTIFY", stopped.address)
    settings.cache_clear()
    assert judge_gate({})["verdict"] == "failed"
    monkeypatch.setenv("MIRPIPE_NOTIFY", webhook.address)
    settings.cache_clear()
    judge_gate({})
    assert [message["title"] for message in webhook.received] == ["mirpipe: gate weekly failed"]


def test_a_gate_without_addresses_is_announced_when_there_is_one(
    gate: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.write_text(RULE % 0.9)
    monkeypatch.delenv("MIRPIPE_NOTIFY")
    settings.cache_clear()
    assert judge_gate({}) == {"gate": "weekly", "verdict": "failed", "run_id": 1}
    monkeypatch.setenv("MIRPIPE_NOTIFY", webhook.address)
    settings.cache_clear()
    judge_gate({})
    assert len(webhook.received) == 1


def test_a_faulty_file_fails_the_task(gate: Path) -> None:
    gate.write_text("rules: 1")
    with pytest.raises(StageFailed, match=r"mirpipe gate .*weekly\.yml` ended with exit code 1"):
        judge_gate({})
