"""A collector on this machine that receives measurements by OTLP over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

Values = list[tuple[str, dict[str, str], float]]
"""Name, attributes and value of each measurement; for histograms, the value is the sum."""


@contextmanager
def otel_collector() -> Iterator[tuple[str, Values]]:
    """Yield the collector's endpoint, and the measurements that it has received so far."""
    received: Values = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.extend(_values_of(ExportMetricsServiceRequest.FromString(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
