"""Measurements of the stages arrive at an OpenTelemetry collector."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.db import queries
from mirpipe.errors import MirpipeError
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


def test_each_stage_sends_what_is_pending_and_what_has_failed_until_it_is_zero(
    collector: Values, fresh_database: Database
) -> None:
    with fresh_database.app.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mirpipe.failure (stage, subject, revision, reason, message, retry) "
                "VALUES ('ingest', 'a.wav', '', 'silent', 'silent', false), "
                "('ingest', 'b.wav', '', 'silent', 'silent', true)"
            )
        )

    def sent(metric: str) -> dict[tuple[str, ...], float]:
        """Return the values of a metric by its attributes that the next stage sends."""
        collector.clear()
        telemetry.record_stage("analyse", {}, seconds=1, result="success")
        return {tuple(each[1].values()): each[2] for each in collector if each[0] == metric}

    assert sent("mirpipe.failures")["ingest",] == 2
    assert sent("mirpipe.failures.by_reason") == {("ingest", "silent"): 2}
    with fresh_database.app.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.failure"))
    failures = sent("mirpipe.failures")
    assert failures == dict.fromkeys(failures, 0), "a collector keeps the last value"
    assert ("ingest",) in failures
    assert sent("mirpipe.pending")["embed captions",] == 0


def test_a_stage_without_a_database_still_sends_its_duration(
    collector: Values, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise MirpipeError("The database does not respond.")

    monkeypatch.setattr(queries, "pending_work", fails)
    telemetry.record_stage("embed", {"embedded": 3}, seconds=1.5, result="success")
    assert {(name, value) for name, _, value in collector} == {
        ("mirpipe.stage.duration", 1.5),
        ("mirpipe.stage.items", 3),
    }


def test_a_collector_that_is_away_stops_no_stage(
    monkeypatch: pytest.MonkeyPatch, fresh_database: Database
) -> None:
    monkeypatch.setattr(telemetry, "SECONDS", 1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert try_stage(["analyse"]).exit_code == 0


def test_an_error_of_the_exporter_is_logged_and_stops_no_stage(
    collector: Values, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def shutdown(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("the exporter is broken")

    reader = "opentelemetry.sdk.metrics.export.PeriodicExportingMetricReader"
    monkeypatch.setattr(f"{reader}.shutdown", shutdown)
    telemetry.record_stage("analyse", {}, seconds=1.0, result="success")
    assert "could not be sent to the collector" in caplog.text
    assert "the exporter is broken" in caplog.text


def test_airflow_sends_its_own_metrics_only_to_a_configured_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert telemetry.airflow_options() == {}
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:9")
    assert telemetry.airflow_options() == {"METRICS__OTEL_ON": "True"}
