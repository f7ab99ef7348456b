"""Measurements of the stages arrive at an OpenTelemetry collector."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.orchestration import telemetry
from mirpipe.orchestration.stage_subprocess import try_stage
from tests.support.databases import Database
from tests.support.otel_collector import Values, otel_collector


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Values]:
    """A collector that is configured: yields what it has received."""
    with otel_collector() as (endpoint, received):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield received


def test_a_stage_sends_its_duration_and_counts(collector: Values, fresh_database: Database) -> None:
    outcome = try_stage(["analyse"])
    assert outcome.exit_code == 0
    ((name, attributes, seconds),) = [value for value in collector if "duration" in value[0]]
    assert (name, attributes) == (
        "mirpipe.stage.duration",
        {"stage": "analyse", "result": "success"},
    )
    assert seconds > 0.1
    counts = {value[1]["count"]: value[2] for value in collector if "items" in value[0]}
    assert counts == outcome.counts


@pytest.mark.parametrize(
    ("rules", "exit_code", "result"),
    [("[{name: a, check: pending}]", 2, "success"), ("[]", 1, "failed")],
)
def test_a_gate_with_a_verdict_is_no_failed_stage(
    collector: Values,
    fresh_database: Database,
    tmp_path: Path,
    rules: str,
    exit_code: int,
    result: str,
) -> None:
    file = tmp_path / "weekly.yml"
    file.write_text(f"rules: {rules}")
    assert try_stage(["gate", str(file)]).exit_code == exit_code
    assert [value[1] for value in collector if "duration" in value[0]] == [
        {"stage": "gate", "result": result}
    ]


def test_the_queue_and_the_failures_are_sent(collector: Values, fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mirpipe.failure (stage, subject, revision, reason, message, retry) "
                "VALUES ('ingest', 'a.wav', '', 'silent', 'silent', false)"
            )
        )
    telemetry.record_queue()
    assert collector == [("mirpipe.failures", {"stage": "ingest", "reason": "silent"}, 1)]


def test_a_collector_that_is_away_stops_no_stage(
    monkeypatch: pytest.MonkeyPatch, fresh_database: Database
) -> None:
    monkeypatch.setattr(telemetry, "SECONDS", 1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert try_stage(["analyse"]).exit_code == 0


def test_airflow_sends_its_own_metrics_only_to_a_configured_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert telemetry.airflow_options() == {}
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:9")
    assert telemetry.airflow_options() == {"METRICS__OTEL_ON": "True"}
