"""A port of this machine for a server that takes seconds before it listens."""

import socket
import sys

from mirpipe.errors import ConfigurationError

TRIED = 100


def free_port(wanted: int) -> tuple[int, socket.socket]:
    """`wanted`, or the next port of 127.0.0.1 that nobody uses, and what holds it until closed.

    It is held by a name in the kernel's keeping, which other homes ask for too; a program that is
    not ours may still take the port first.
    """
    for port in range(wanted, min(wanted + TRIED, 65536)):
        held = socket.socket(socket.AF_UNIX)
        try:
            if sys.platform == "linux":
                held.bind(f"\0mirpipe-port-{port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            held.close()
            continue
        return port, held
    raise ConfigurationError(
        f"no port from {wanted} on is free; set MIRPIPE_AIRFLOW_PORT or MIRPIPE_DASHBOARD_PORT"
    )
