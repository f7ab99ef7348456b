"""Measurements of the stages arrive at an OpenTelemetry collector."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from sqlalchemy import text

from mirpipe.orchestration import telemetry
from mirpipe.orchestration.stage_subprocess import try_stage
from tests.support.databases import Database

Values = list[tuple[str, dict[str, str], float]]
"""Name, attributes and value of each measurement; of a histogram, the sum."""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Values]:
    """A collector on this machine, which is configured: yields what it has received."""
    received: Values = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.extend(values_of(ExportMetricsServiceRequest.FromString(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield received
    server.shutdown()
    thread.join()
    server.server_close()


def values_of(request: ExportMetricsServiceRequest) -> Iterator[tuple[str, dict[str, str], float]]:
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points:
                    attributes = {item.key: item.value.string_value for item in point.attributes}
                    value = point.sum if kind == "histogram" else point.as_int
                    yield metric.name, attributes, value


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
