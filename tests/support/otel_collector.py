"""A collector on this machine that receives measurements by OTLP over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.support.post_receiver import post_receiver

Values = list[tuple[str, dict[str, str], float]]
"""Name, attributes and value of each measurement; for histograms, the value is the sum."""


@contextmanager
def otel_collector() -> Iterator[tuple[str, Values]]:
    """Yield the collector's endpoint, and the measurements that it has received so far."""
    received: Values = []

    def receive(body: bytes) -> None:
        received.extend(_values_of(ExportMetricsServiceRequest.FromString(body)))

    with post_receiver(receive) as port:
        yield f"http://127.0.0.1:{port}", received


def _values_of(
    request: ExportMetricsServiceRequest,
) -> Iterator[tuple[str, dict[str, str], float]]:
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points:
                    attributes = {item.key: item.value.string_value for item in point.attributes}
                    if "histogram" in kind:
                        value = point.sum
                    else:
                        value = getattr(point, point.WhichOneof("value"))
                    yield metric.name, attributes, value
