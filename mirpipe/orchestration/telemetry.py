"""Sends measurements of the stages to an OpenTelemetry collector, if one is configured.

The collector is configured by OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT and
others), which Airflow reads, too. Without an endpoint, nothing is imported or sent.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")

_log = logging.getLogger("mirpipe.telemetry")

SECONDS = 5
"""Time after which a collector that does not respond is given up."""


def is_on() -> bool:
    """Return whether a collector is configured."""
    return any(os.environ.get(name) for name in ENDPOINTS)


def airflow_options() -> dict[str, str]:
    """Return the options of Airflow that make its servers and tasks send their own metrics."""
    return {"METRICS__OTEL_ON": "True"} if is_on() else {}


def record_stage(stage: str, counts: Mapping[str, Any], *, seconds: float, result: str) -> None:
    """Send the duration of a stage, and what it has counted, such as failed and rejected tracks.

    `result` is `success`, `failed` or `crashed`. Nothing is sent if no collector is configured.
    """
    if not is_on():
        return
    with _meter() as meter:
        meter.create_histogram("mirpipe.stage.duration", unit="s").record(
            seconds, {"stage": stage, "result": result}
        )
        items = meter.create_counter("mirpipe.stage.items", unit="{item}")
        for name, number in counts.items():
            if type(number) is int and name != "run_id":
                items.add(number, {"stage": stage, "count": name})


def record_queue() -> None:
    """Send the number of pending items per stage and plug-in, and of failures per stage and reason.

    Nothing is sent if no collector is configured.
    """
    if not is_on():
        return
    from mirpipe.db import queries

    with _meter() as meter:
        pending = meter.create_gauge("mirpipe.pending", unit="{item}")
        for work in queries.pending_work():
            pending.set(work.items, {"stage": work.stage, "plugin": work.plugin})
        failures = meter.create_gauge("mirpipe.failures", unit="{failure}")
        for count in queries.failure_counts():
            failures.set(count.items, {"stage": count.stage, "reason": count.reason})


@contextmanager
def _meter() -> Iterator[Any]:
    """Yield a meter, and send its values at the end. An error in this does not stop the stage."""
    from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
    from opentelemetry.sdk.metrics.export import (
        AggregationTemporality,
        PeriodicExportingMetricReader,
    )

    # Every task is a process of its own, so a collector could not add up cumulative values.
    delta = dict.fromkeys((Counter, Histogram), AggregationTemporality.DELTA)
    reader = PeriodicExportingMetricReader(
        _exporter_class()(preferred_temporality=delta, timeout=SECONDS)
    )
    provider = MeterProvider([reader])
    try:
        yield provider.get_meter("mirpipe")
    finally:
        try:
            provider.shutdown(timeout_millis=2_000 * SECONDS)
        except Exception:  # noqa: BLE001 (the stage has ended, and its result counts)
            _log.warning("The metrics could not be sent to the collector.", exc_info=True)


def _exporter_class() -> Any:
    if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_exporter

        return grpc_exporter.OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_exporter

    return http_exporter.OTLPMetricExporter
