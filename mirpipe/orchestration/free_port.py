"""Find a free port on this machine, and reserve it for a server that takes seconds to start."""

import socket
import sys

from mirpipe.errors import ConfigurationError
from mirpipe.orchestration.server_address import is_port_free
from mirpipe.settings import Settings

MAX_ATTEMPTS = 100


def reserve_free_port(first: int, *, bind: str) -> tuple[int, socket.socket]:
    """Return the first free port on `bind` from `first` on, and a socket that reserves it.

    The port is reserved until the socket is closed. The socket's name contains the port number, and
    another mirpipe process cannot create a second socket with the same name. Programs other than
    mirpipe can still use the port. Raises ConfigurationError if none of 100 ports is free, or if
    the IP address `bind` does not belong to this machine.
    """
    for port in range(first, min(first + MAX_ATTEMPTS, 65536)):
        if is_port_free(bind, port) and (reservation := _reservation(port)):
            return port, reservation
    names = ", ".join(
        f"MIRPIPE_{name.upper()}" for name in Settings.model_fields if name.endswith("_port")
    )
    raise ConfigurationError(
        f"No free port was found from {first} on. Set the port of this server, which is one of "
        f"{names}, to another port."
    )


def _reservation(port: int) -> socket.socket | None:
    """Return a socket that reserves the port, or None if another process has reserved it."""
    reservation = socket.socket(socket.AF_UNIX)
    try:
        if sys.platform == "linux":
            reservation.bind(f"\0mirpipe-port-{port}")
    except OSError:
        reservation.close()
        return None
    return reservation
