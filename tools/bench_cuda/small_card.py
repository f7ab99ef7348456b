"""Limits the memory of the GPU, so that large batches run out of memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

MARGIN_BYTES = 64_000_000


@contextmanager
def small_card(room_bytes: float) -> Iterator[None]:
    """While the context is open, this process can use only this much more GPU memory than now.

    torch raises OutOfMemoryError beyond the limit, as on a smaller card.
    """
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties("cuda").total_memory
    limit = torch.cuda.memory_reserved() + room_bytes + MARGIN_BYTES
    torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total))
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def room_for_part_of(peak_megabytes: float) -> float:
    """Return the room for a third of a batch, in bytes.

    `peak_megabytes` is the peak memory of the complete batch, with the weights.
    """
    return (peak_megabytes * 1e6 - torch.cuda.memory_allocated()) / 3
