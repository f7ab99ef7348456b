"""What a torch generator owes to each request: its own seed, its exact length, clear refusals."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from mirpipe.errors import OutOfMemory, PluginError
from mirpipe.records import Float32, Request
from mirpipe.specs import GeneratorSpec

_CPU_IS_FULL = ("DefaultCPUAllocator: can't allocate", "DefaultCPUAllocator: not enough memory")


def one_by_one(
    requests: Sequence[Request], make: Callable[[Request], Any], spec: GeneratorSpec
) -> list[Float32]:
    """One clip a request, in order: mono, float32, −1 … 1, of exactly the length asked for.

    `make` returns a request's samples as a tensor, at least as many as asked for; it runs without
    gradients, with the random numbers of the request's seed. Louder samples are clipped. Raises
    PluginError, before anything is made, for a request that the generator cannot serve, and
    OutOfMemory where one does not fit.
    """
    for request in requests:
        check(request, spec)
    return [_made(request, make, spec) for request in requests]


def check(request: Request, spec: GeneratorSpec) -> None:
    """Raises PluginError where the generator cannot serve the request."""
    mode, heard = request.mode, request.conditioning
    if not 0 < request.seconds <= spec.longest_seconds:
        raise PluginError(
            f"{spec.name} makes at most {spec.longest_seconds:g} s at once, not "
            f"{request.seconds:g} s: ask for less (MIRPIPE_GENERATE_SECONDS)"
        )
    if mode.guidance is None or mode.guidance < 1:
        raise PluginError(
            f"{spec.name} needs a guidance of 1 or more; mode {mode.name} has {mode.guidance}"
        )
    if mode.is_conditioned and (heard is None or not len(heard.samples)):
        raise PluginError(f"mode {mode.name} of {spec.name} needs conditioning audio")
    if mode.is_conditioned and heard is not None and heard.sample_rate != spec.sample_rate:
        raise PluginError(
            f"{spec.name} hears {spec.sample_rate} Hz; the conditioning audio has "
            f"{heard.sample_rate} Hz"
        )


def _made(request: Request, make: Callable[[Request], Any], spec: GeneratorSpec) -> Float32:
    with _chance_of(request.seed), _memory_for(request, spec), torch.inference_mode():
        samples = np.asarray(make(request).detach().float().cpu(), dtype=np.float32)
    wanted = round(request.seconds * spec.sample_rate)
    if samples.ndim != 1 or len(samples) < wanted or not np.isfinite(samples).all():
        raise PluginError(
            f"{spec.name} made samples of shape {samples.shape} where {wanted} finite ones in a "
            "row were asked for: its weights or its library are not those it was written for"
        )
    return np.clip(samples[:wanted], -1, 1)


@contextmanager
def _chance_of(seed: int) -> Iterator[None]:
    """While it lasts, random numbers follow from the seed; then they go on as they would have."""
    before = random.getstate()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(before)


@contextmanager
def _memory_for(request: Request, spec: GeneratorSpec) -> Iterator[None]:
    """Has what torch says of memory that is full said as OutOfMemory."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        is_card = isinstance(error, torch.cuda.OutOfMemoryError)
        if not (is_card or isinstance(error, MemoryError) or _is_cpu_full(error)):
            raise
        if is_card:
            torch.cuda.empty_cache()
        raise OutOfMemory(
            f"{spec.name}: {request.seconds:g} s do not fit into memory: {error}"
        ) from error


def _is_cpu_full(error: BaseException) -> bool:
    return any(words in str(error) for words in _CPU_IS_FULL)
