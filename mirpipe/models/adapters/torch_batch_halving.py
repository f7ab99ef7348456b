"""Runs a torch model on batches of segments and halves the batch size when GPU memory runs out.

`mirpipe.models.batch_halving` does the same for models that raise mirpipe's own OutOfMemory.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from mirpipe.models.adapters.freed_tensors import free_tensors_of
from mirpipe.models.adapters.torch_device import choose_device
from mirpipe.models.adapters.torch_precision import precision
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

CUDA_BATCH = 64
"""Number of segments in the first batch on a CUDA GPU."""


class BatchRunner:
    """Runs a model on batches of segments that fit into the memory of the device."""

    def __init__(self, runtime: Runtime, *, cpu_batch: int, cuda_batch: int = CUDA_BATCH) -> None:
        """Choose the device and the batch size.

        On a CPU, larger batches are hardly faster and need more memory, so `cpu_batch` is small and
        fixed.
        """
        self.device = choose_device(runtime.device)
        self._dtype = getattr(torch, runtime.compute_dtype)
        self.batch_size = cpu_batch if self.device.type == "cpu" else cuda_batch
        """Largest number of segments in the next batch."""

    def run(
        self, segments: Sequence[AudioSegment], model: Callable[[Sequence[AudioSegment]], Any]
    ) -> list[Float32]:
        """Return the results of `model` for all batches of segments, in order and as arrays.

        `model` returns one array or tensor per batch. It runs without gradients and in the
        configured precision. If it runs out of CUDA memory, all later batches have half the size.
        Raises torch.cuda.OutOfMemoryError if a single segment does not fit into memory.
        """
        results, start = [], 0
        while start < len(segments):
            batch = segments[start : start + self.batch_size]
            result = self._run_if_it_fits(batch, model)
            if result is None:
                self.batch_size = len(batch) // 2
                torch.cuda.empty_cache()
                continue
            results.append(np.asarray(torch.as_tensor(result).float().cpu(), dtype=np.float32))
            start += len(batch)
        return results

    def _run_if_it_fits(
        self, segments: Sequence[AudioSegment], model: Callable[[Sequence[AudioSegment]], Any]
    ) -> Any:
        """Return the result of `model`, or None if several segments do not fit into memory.

        This is a separate function because the tensors in the error's stack frames are freed only
        after the `except` block has ended.
        """
        try:
            with self.inference():
                return model(segments)
        except torch.cuda.OutOfMemoryError as error:
            if len(segments) == 1:
                free_tensors_of(error)
                raise
            return None

    @contextmanager
    def inference(self) -> Iterator[None]:
        """While the context is open, torch computes without gradients, in the configured dtype."""
        with torch.inference_mode(), precision(self.device, self._dtype):
            yield
