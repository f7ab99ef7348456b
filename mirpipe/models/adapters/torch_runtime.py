"""How torch models run: device, precision, and batches that fit into memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

CUDA_BATCH = 64
"""Clips that a GPU starts with; an out-of-memory halves it."""


class Batches:
    """Feeds segments to a model, as many at once as its device bears."""

    def __init__(self, runtime: Runtime, *, cpu_batch: int, cuda_batch: int = CUDA_BATCH) -> None:
        """On a CPU a batch gains nothing and costs memory, so `cpu_batch` is small and fixed."""
        self.device = device(runtime.device)
        self._dtype = getattr(torch, runtime.compute_dtype)
        self._size = cpu_batch if self.device.type == "cpu" else cuda_batch

    def rows(
        self, segments: Sequence[AudioSegment], run: Callable[[Sequence[AudioSegment]], Any]
    ) -> list[Float32]:
        """What `run` returns for the segments, batch by batch: one array, or tensor, a batch.

        `run` computes without gradients and in the configured precision. An out-of-memory on a GPU
        halves the batch, from then on.
        """
        rows, start = [], 0
        while start < len(segments):
            found = self._try(segments[start : start + self._size], run)
            if found is None:
                self._size //= 2
                torch.cuda.empty_cache()
                continue
            rows.append(np.asarray(torch.as_tensor(found).float().cpu(), dtype=np.float32))
            start += self._size
        return rows

    def _try(
        self, segments: Sequence[AudioSegment], run: Callable[[Sequence[AudioSegment]], Any]
    ) -> Any:
        """What `run` returns; None where several segments do not fit into memory.

        A function of its own, because what the error's frames hold is free only after `except`.
        """
        try:
            with self.inference():
                return run(segments)
        except torch.cuda.OutOfMemoryError:
            if self._size == 1:
                raise
            return None

    @contextmanager
    def inference(self) -> Iterator[None]:
        """Without gradients, and in bfloat16 where that is configured."""
        lowered = self._dtype != torch.float32
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, dtype=self._dtype, enabled=lowered),
        ):
            yield


def device(asked: str) -> Any:
    """The torch.device that `auto`, `cpu` or `cuda` means on this machine."""
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(asked)


def keep_float32(module: Any) -> None:
    """Has the module compute in float32 under autocast: for spectrograms, which need the digits."""
    forward = module.forward

    def in_float32(*inputs: Any) -> Any:
        with torch.autocast(inputs[0].device.type, enabled=False):
            return forward(*(one.float() for one in inputs))

    module.forward = in_float32
