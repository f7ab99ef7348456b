"""A web server on this machine that hands the body of each POST request to a function."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


@contextmanager
def post_receiver(receive: Callable[[bytes], object]) -> Iterator[int]:
    """Yield the port of a server that calls `receive` with the body of each POST request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receive(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
