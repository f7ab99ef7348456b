"""The devices on which a plug-in can compute, and the device that this process has reserved."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec

from mirpipe.errors import PluginError, Unavailable
from mirpipe.settings import settings
from mirpipe.specs import Needs

CPU = ["cpu"]
"""The devices of a plug-in that computes on the CPU."""

_reserved: ContextVar[str | None] = ContextVar("reserved device", default=None)


def device_names(needs: Needs) -> list[str]:
    """Return `cpu`, or the names of all CUDA GPUs if the plug-in computes on a GPU.

    `needs` are the plug-in's needs. The setting MIRPIPE_DEVICE chooses between CPU and GPU. Raises
    Unavailable (`card_missing`) if it requires a GPU and there is none.
    """
    if not needs.can_use_gpu or find_spec("torch") is None:
        return CPU
    import torch

    from mirpipe.models.adapters.torch_device import choose_device

    if choose_device(settings().device).type == "cpu":
        return CPU
    names = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if not names:
        raise Unavailable(
            "card_missing",
            "MIRPIPE_DEVICE is cuda, but this machine has no CUDA GPU that torch can use",
            remedy="set MIRPIPE_DEVICE=auto",
        )
    return names


def device_id(name: str) -> str:
    """Return an id of the device `name` that is the same in every process that can use the device.

    A GPU's id is its UUID if torch can read it. Containers with different host names, and processes
    that number the GPUs differently, therefore know a GPU by the same id. Otherwise, the id
    consists of the machine's name and the device name.
    """
    if name not in CPU:
        import torch

        # Older versions of torch do not have this attribute.
        uuid = getattr(torch.cuda.get_device_properties(name), "uuid", None)
        if uuid is not None:
            return f"GPU {uuid}"
    return f"{platform.node()} {name}"


@contextmanager
def use_device(name: str) -> Iterator[None]:
    """Let models be loaded on the device `name`, which this process has reserved.

    A GPU becomes torch's current device.
    """
    if name not in CPU:
        import torch

        torch.cuda.set_device(name)
    token = _reserved.set(name)
    try:
        yield
    finally:
        _reserved.reset(token)


def device_for_loading(needs: Needs, *, plugin: str) -> str:
    """Return the device on which to load the plug-in's model: `cpu` or `cuda`.

    `cuda` is the reserved GPU. Raises PluginError if the plug-in computes on a GPU, but this
    process has not reserved one.
    """
    if device_names(needs) == CPU:
        return "cpu"
    if _reserved.get() in (None, "cpu"):
        raise PluginError(
            f"{plugin} cannot be loaded: it computes on a GPU, and this process has not reserved "
            "one. Load it within `mirpipe.models.device_lease.hold_gpu`."
        )
    return "cuda"
