"""The lease of a device: one process at a time has a card, within Airflow and outside."""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mirpipe.db.advisory_locks import one_of
from mirpipe.settings import settings
from mirpipe.specs import Needs


@contextmanager
def leased(needs: Needs, *, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    """Holds the CPU or a card of this machine, whichever a plug-in with these needs computes on.

    Of several cards it takes one that is free, and has torch use it. Where others have them all,
    it tells `waiting` the name of what it waits for. Take it before a model is loaded.
    """
    devices = {f"device {platform.node()} {name}": name for name in _devices(needs)}
    first = next(iter(devices.values()))
    tell = None if waiting is None else lambda: waiting(f"{platform.node()} {first}")
    with one_of(list(devices), waiting=tell) as lease:
        if devices[lease] != "cpu":
            import torch

            torch.cuda.set_device(devices[lease])
        yield


def _devices(needs: Needs) -> list[str]:
    if "torch" not in needs.libraries:
        return ["cpu"]
    import torch

    from mirpipe.models.adapters.torch_runtime import device

    if device(settings().device).type == "cpu":
        return ["cpu"]
    return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
