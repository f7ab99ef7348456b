"""A stand-in for torch on a machine with one GPU. It can name and select devices, nothing else."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class device:  # noqa: N801 - torch's name
    """A device with this type, such as `cuda`."""

    type: str


@dataclass(frozen=True)
class GpuProperties:
    """The properties of a GPU."""

    uuid: str | None


class Tensor:
    """The type of torch's arrays. SciPy compares its input with it."""


class cuda:  # noqa: N801 - torch's name
    """The functions of torch.cuda that mirpipe calls before it loads a model."""

    @staticmethod
    def is_available() -> bool:
        """Return that there is a GPU."""
        return True

    @staticmethod
    def device_count() -> int:
        """Return the number of GPUs."""
        return 1

    @staticmethod
    def get_device_properties(_name: str) -> GpuProperties:
        """Return the properties of the GPU."""
        return GpuProperties(os.environ.get("FAKE_GPU_UUID", "5f9c"))

    @staticmethod
    def set_device(name: str) -> None:
        """Select a GPU. There is only one."""
        assert name == "cuda:0"

    @staticmethod
    def is_initialized() -> bool:
        """Return that no memory of the GPU was used."""
        return False

    @staticmethod
    def max_memory_allocated(_name: str) -> int:
        """Return that no memory of the GPU was used, in bytes."""
        return 0
