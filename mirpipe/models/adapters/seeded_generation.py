"""Runs a torch model on requests so that it generates the same clips again.

This module also checks each request before anything is generated, and cuts each clip to the exact
length.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from mirpipe.errors import OutOfMemory, PluginError
from mirpipe.models.adapters.freed_tensors import free_tensors_of
from mirpipe.records import Float32, GenerationRequest
from mirpipe.specs import GeneratorSpec

_CPU_MEMORY_MESSAGES = (
    "DefaultCPUAllocator: can't allocate",
    "DefaultCPUAllocator: not enough memory",
)


def generate_one_by_one(
    requests: Sequence[GenerationRequest],
    generate: Callable[[GenerationRequest], Any],
    spec: GeneratorSpec,
) -> list[Float32]:
    """Return one clip per request, in order: mono, float32, from −1 to 1, of the requested length.

    `generate` returns a tensor with at least as many samples as requested. It runs without
    gradients, and its random numbers depend only on the request's seed. Samples beyond ±1 are
    clipped. Raises PluginError, before anything is generated, if the generator does not support a
    request. Raises OutOfMemory if a request does not fit into memory.
    """

    def clip_of(request: GenerationRequest) -> Float32:
        with _random_seed(request.seed), _as_out_of_memory([request], spec), torch.inference_mode():
            return _checked_clip(generate(request), request, spec)

    for request in requests:
        check_request(request, spec)
    return [clip_of(request) for request in requests]


def generate_together(
    requests: Sequence[GenerationRequest],
    generate: Callable[[Sequence[GenerationRequest]], Sequence[Any]],
    spec: GeneratorSpec,
) -> list[Float32]:
    """Return one clip per request, as `generate_one_by_one` does, from one call of `generate`.

    `generate` returns one tensor per request. It must draw the random numbers of each request from
    a generator of its own. Raises OutOfMemory if the requests do not fit into memory together.
    """
    for request in requests:
        check_request(request, spec)
    if not requests:
        return []
    with _random_seed(requests[0].seed), _as_out_of_memory(requests, spec), torch.inference_mode():
        return [
            _checked_clip(samples, request, spec)
            for samples, request in zip(generate(requests), requests, strict=True)
        ]


def check_request(request: GenerationRequest, spec: GeneratorSpec) -> None:
    """Raise PluginError if the generator does not support the request."""
    mode, conditioning = request.mode, request.conditioning
    if not 0 < request.seconds <= spec.longest_seconds:
        raise PluginError(
            f"{spec.name} cannot generate {request.seconds:g} s: it supports more than 0 and at "
            f"most {spec.longest_seconds:g} s. Change MIRPIPE_GENERATE_SECONDS"
        )
    if mode.guidance is None or mode.guidance < 1:
        raise PluginError(
            f"{spec.name} needs a guidance of 1 or more, but mode {mode.name} has {mode.guidance}. "
            "Change the mode in MIRPIPE_MODES"
        )
    if mode.is_conditioned and (conditioning is None or not len(conditioning.samples)):
        raise PluginError(
            f"Mode {mode.name} of {spec.name} needs conditioning audio, but the request has none. "
            "Report this as a bug in mirpipe"
        )
    if (
        mode.is_conditioned
        and conditioning is not None
        and conditioning.sample_rate != spec.sample_rate
    ):
        raise PluginError(
            f"{spec.name} needs conditioning audio at {spec.sample_rate} Hz, but the request has "
            f"{conditioning.sample_rate} Hz. Report this as a bug in mirpipe"
        )


def _checked_clip(generated: Any, request: GenerationRequest, spec: GeneratorSpec) -> Float32:
    """Return the clip from the tensor that a model generated for the request."""
    samples = np.asarray(generated.detach().float().cpu(), dtype=np.float32)
    length = round(request.seconds * spec.sample_rate)
    if samples.ndim != 1 or len(samples) < length or not np.isfinite(samples).all():
        raise PluginError(
            f"{spec.name} returned samples of shape {samples.shape}, but the request needs "
            f"{length} finite samples in one dimension. Check its weights and the version of its "
            "library"
        )
    return np.clip(samples[:length], -1, 1)


@contextmanager
def _random_seed(seed: int) -> Iterator[None]:
    """While the context is open, random numbers depend only on the seed.

    Afterwards, the random generators return to their previous state.
    """
    state_before = random.getstate()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(state_before)


@contextmanager
def _as_out_of_memory(requests: Sequence[GenerationRequest], spec: GeneratorSpec) -> Iterator[None]:
    """Raise OutOfMemory for every error with which Python or torch reports that memory is full."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        is_card_full = isinstance(error, torch.cuda.OutOfMemoryError)
        if not (is_card_full or isinstance(error, MemoryError) or _is_cpu_full(error)):
            raise
        free_tensors_of(error)
        seconds = f"{max(request.seconds for request in requests):g} s"
        if len(requests) == 1:
            generated, remedy = seconds, "MIRPIPE_GENERATE_SECONDS"
        else:
            generated, remedy = (
                f"{len(requests)} clips of up to {seconds}",
                "MIRPIPE_GENERATE_BATCH",
            )
        raise OutOfMemory(
            f"{spec.name} ran out of memory while it generated {generated}: {error}. Set {remedy} "
            "to a lower value, or use a machine with more memory"
        ) from error


def _is_cpu_full(error: BaseException) -> bool:
    return any(message in str(error) for message in _CPU_MEMORY_MESSAGES)
