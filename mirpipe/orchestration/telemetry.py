"""Sends measurements of the stages to an OpenTelemetry collector, if one is configured.

The collector is configured by OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT and
others), which Airflow reads, too. Without an endpoint, nothing is imported or sent.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

from sqlalchemy.exc import SQLAlchemyError

from mirpipe.errors import MirpipeError, result_or_error

FAILURE_STAGES = ("ingest", "draw", "embed", "score", "analyse", "caption", "generate")
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
    """Send the duration of a stage, what it has counted, the pending work and the failures.

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
        _record_state(meter)


def _record_state(meter: Any) -> None:
    """Send what is pending and what has failed. Without a database, nothing is sent."""
    from mirpipe.db import queries
    from mirpipe.db.queries.pending_work import PendingStage

    try:
        work, failures = queries.pending_work(), queries.failure_counts()
    except (MirpipeError, SQLAlchemyError):
        _log.warning("The pending work could not be read for the collector.", exc_info=True)
        return
    pending = ((each.stage, each.plugin, each.items) for each in work)
    _set_gauges(meter, "mirpipe.pending", "plugin", pending, stages=get_args(PendingStage))
    failed = ((each.stage, each.reason, each.items) for each in failures)
    _set_gauges(meter, "mirpipe.failures", "reason", failed, stages=FAILURE_STAGES)


def _set_gauges(
    meter: Any,
    name: str,
    part: str,
    numbers: Iterable[tuple[str, str, int]],
    *,
    stages: Iterable[str],
) -> None:
    """Set a gauge to the total of each stage, and a second one to the number of each part of it.

    A collector keeps the last value, so the total of a stage without numbers is sent as 0. The
    parts that once had a number are not known any more.
    """
    parts: Counter[tuple[str, str]] = Counter()
    totals: Counter[str] = Counter(dict.fromkeys(stages, 0))
    for stage, of_part, number in numbers:
        parts[stage, of_part] += number
        totals[stage] += number
    gauge, by_part = (meter.create_gauge(each, "{item}") for each in (name, f"{name}.by_{part}"))
    for stage, total in totals.items():
        gauge.set(total, {"stage": stage})
    for (stage, of_part), number in parts.items():
        by_part.set(number, {"stage": stage, part: of_part})


@contextmanager
def _meter() -> Iterator[Any]:
    """Yield a meter, and send its values at the end. An error in this does not stop the stage."""
    from opentelemetry.sdk import metrics
    from opentelemetry.sdk.metrics.export import (
        AggregationTemporality,
        PeriodicExportingMetricReader,
    )

    # Every task is a process of its own, so a collector could not add up cumulative values.
    kinds = (metrics.Counter, metrics.Histogram)
    delta = dict.fromkeys(kinds, AggregationTemporality.DELTA)
    reader = PeriodicExportingMetricReader(
        _exporter_class()(preferred_temporality=delta, timeout=SECONDS)
    )
    provider = metrics.MeterProvider([reader])
    try:
        yield provider.get_meter("mirpipe")
    finally:
        # The stage has ended, and its result counts.
        error = result_or_error(provider.shutdown, timeout_millis=2_000 * SECONDS)
        if isinstance(error, Exception):
            _log.warning("The metrics could not be sent to the collector.", exc_info=error)


def _exporter_class() -> Any:
    if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_exporter

        return grpc_exporter.OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_exporter

    return http_exporter.OTLPMetricExporter
