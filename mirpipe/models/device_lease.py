"""Reserves a device for one process; other processes wait until the device is free.

The lease is a database lock, so it also works between Airflow tasks and commands. A model can be
loaded on a GPU only within a lease (see `mirpipe.models.devices`).
"""

import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from mirpipe.db.named_locks import hold_first_free_lock
from mirpipe.models import devices
from mirpipe.specs import Needs


@contextmanager
def hold_device(needs: Needs, *, on_wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Reserve the device on which a plug-in with these needs computes, even if it is the CPU.

    This is for large models: two of them would not fit into the memory. If the machine has several
    GPUs, a free one is chosen and becomes torch's current device. If all devices are in use, this
    function calls `on_wait` with a device name and waits until that device is free. Call this
    function before you query which work is pending; otherwise, two processes do the same work.
    """
    names = devices.device_names(needs)
    locks = {f"device {devices.device_id(name)}": name for name in names}

    def report_wait() -> None:
        if on_wait is not None:
            on_wait(f"{platform.node()} {names[0]}")

    with (
        hold_first_free_lock(list(locks), on_wait=report_wait) as lease,
        devices.use_device(locks[lease]),
    ):
        yield


@contextmanager
def hold_gpu(
    plugins: Iterable[Needs], *, on_wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Reserve a GPU like `hold_device` if any of the plug-ins computes on one.

    `plugins` are the needs of all plug-ins that are loaded within the lease. If all of them compute
    on the CPU, nothing is reserved, because several processes can share the CPU.
    """
    on_gpu = next((needs for needs in plugins if devices.device_names(needs) != devices.CPU), None)
    if on_gpu is None:
        yield
        return
    with hold_device(on_gpu, on_wait=on_wait):
        yield
