"""A proxy that adds the name of a user to the first request of each connection.

A browser opens a connection of its own for the WebSocket over which Streamlit sends the pages.
Chromium cannot add a header to this request itself.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer


@contextmanager
def login_proxy(dashboard_port: int, header: str) -> Iterator[str]:
    """Yield the address of a running proxy. `header` has the form `Name: value`."""

    class Proxy(StreamRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", dashboard_port)) as dashboard:
                dashboard.sendall(self.rfile.readline() + f"{header}\r\n".encode())
                answers = (lambda: dashboard.recv(65536), self.connection.sendall)
                threading.Thread(target=_copy, args=answers, daemon=True).start()
                _copy(lambda: self.rfile.read1(65536), dashboard.sendall)

    ThreadingTCPServer.daemon_threads = True
    with ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _copy(receive: Callable[[], bytes], send: Callable[[bytes], object]) -> None:
    with suppress(OSError):  # The other side has closed the connection.
        while data := receive():
            send(data)
