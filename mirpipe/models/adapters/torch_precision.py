"""Sets the precision in which torch models compute: float32 or bfloat16."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def precision(device: Any, dtype: Any) -> Iterator[None]:
    """While the context is open, torch computes in `dtype` on this kind of device.

    `device` is a torch.device, and `dtype` is torch.float32 or torch.bfloat16. An outer autocast
    has no effect inside this context.
    """
    with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
        yield


def keep_float32(module: Any) -> None:
    """Make the module compute in float32, even inside an autocast to bfloat16.

    Spectrograms must be computed in float32, because bfloat16 has too little precision.
    """
    forward = module.forward

    def forward_in_float32(*inputs: Any) -> Any:
        with torch.autocast(inputs[0].device.type, enabled=False):
            return forward(*(each.float() for each in inputs))

    module.forward = forward_in_float32
