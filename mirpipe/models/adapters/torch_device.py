"""Chooses the device on which torch computes: the CPU or a GPU."""

from typing import Any

import torch


def choose_device(setting: str) -> Any:
    """Return the torch.device for a value of MIRPIPE_DEVICE: `auto`, `cpu` or `cuda`.

    `auto` means CUDA if this machine has a CUDA GPU, otherwise the CPU.
    """
    if setting == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(setting)
