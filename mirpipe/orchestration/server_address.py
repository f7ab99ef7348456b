"""How programs on this machine reach the servers that listen on the setting MIRPIPE_BIND."""

import errno
import socket
from ipaddress import ip_address

from mirpipe.errors import ConfigurationError


def local_host(bind: str) -> str:
    """Return the IP address at which this machine reaches a server that listens on `bind`.

    A server on all addresses (0.0.0.0 or ::) is reached at the loopback address of the same family.
    """
    address = ip_address(bind)
    if not address.is_unspecified:
        return bind
    return "127.0.0.1" if address.version == 4 else "::1"


def local_url(bind: str, port: int) -> str:
    """Return the URL, without a path, at which this machine reaches such a server."""
    host = local_host(bind)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_port_free(bind: str, port: int) -> bool:
    """Return whether a server can listen on this address and port.

    Raises ConfigurationError if the address does not belong to this machine.
    """
    family = socket.AF_INET if ip_address(bind).version == 4 else socket.AF_INET6
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((bind, port))
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            raise ConfigurationError(
                f"No server can listen on {bind} ({error.strerror}). Set MIRPIPE_BIND to an IP "
                "address of this machine."
            ) from error
        return False
    return True
