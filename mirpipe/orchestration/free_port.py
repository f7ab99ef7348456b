"""Find a free port on this machine, and reserve it for a server that takes seconds to start."""

import socket
import sys

from mirpipe.errors import ConfigurationError

MAX_ATTEMPTS = 100


def reserve_free_port(first: int) -> tuple[int, socket.socket]:
    """Return the first free port on 127.0.0.1 from `first` on, and a socket that reserves it.

    The port is reserved until the socket is closed. The socket's name contains the port number, and
    another mirpipe process cannot create a second socket with the same name. Programs other than
    mirpipe can still use the port. Raises ConfigurationError if none of 100 ports is free.
    """
    for port in range(first, min(first + MAX_ATTEMPTS, 65536)):
        reservation = socket.socket(socket.AF_UNIX)
        try:
            if sys.platform == "linux":
                reservation.bind(f"\0mirpipe-port-{port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            reservation.close()
            continue
        return port, reservation
    raise ConfigurationError(
        f"No free port was found from {first} on. Set MIRPIPE_AIRFLOW_PORT or "
        "MIRPIPE_DASHBOARD_PORT to another port."
    )
