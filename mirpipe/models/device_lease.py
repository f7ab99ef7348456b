"""Reserves the CPU or a GPU for one process; other processes wait until the device is free.

The lease is a database lock, so it also works between Airflow tasks and commands.
"""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mirpipe.db.named_locks import hold_first_free_lock
from mirpipe.settings import settings
from mirpipe.specs import Needs


@contextmanager
def hold_device(needs: Needs, *, on_wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Reserve the device on which a plug-in with these needs computes.

    The device is the CPU or a CUDA GPU of this machine. If the machine has several GPUs, a free one
    is chosen and becomes torch's current device. If all devices are in use, this function calls
    `on_wait` with a device name and waits until that device is free. Call this function before you
    load a model.
    """
    devices = {f"device {platform.node()} {name}": name for name in _devices(needs)}
    first_device = next(iter(devices.values()))

    def report_wait() -> None:
        if on_wait is not None:
            on_wait(f"{platform.node()} {first_device}")

    with hold_first_free_lock(list(devices), on_wait=report_wait) as lease:
        if devices[lease] != "cpu":
            import torch

            torch.cuda.set_device(devices[lease])
        yield


def _devices(needs: Needs) -> list[str]:
    """Return `cpu`, or the names of all CUDA GPUs if the plug-in computes on a GPU."""
    if "torch" not in needs.libraries:
        return ["cpu"]
    import torch

    from mirpipe.models.adapters.torch_device import choose_device

    if choose_device(settings().device).type == "cpu":
        return ["cpu"]
    return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
