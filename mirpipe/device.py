"""The lease of a device: one process at a time has a card, within Airflow and outside."""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mirpipe.db.locks import exclusive
from mirpipe.records import Needs
from mirpipe.settings import settings


@contextmanager
def leased(needs: Needs, *, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    """Holds the device that a plug-in with these needs computes on, of this machine.

    Waits while another process has it, and tells `waiting` its name first. A plug-in without
    libraries of its own computes on the CPU. Take it before a model is loaded.
    """
    name = f"{platform.node()} {_kind(needs)}"
    with exclusive(f"device {name}", waiting=None if waiting is None else lambda: waiting(name)):
        yield


def _kind(needs: Needs) -> str:
    if "torch" not in needs.libraries:
        return "cpu"
    from mirpipe.libraries.torch_runtime import device

    return str(device(settings().device))
