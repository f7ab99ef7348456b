"""Tests for seeded generation, with a fake generator that returns noise."""

import random
import weakref
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mirpipe.errors import OutOfMemory, PluginError
from mirpipe.models.adapters.seeded_generation import generate_one_by_one, generate_together
from mirpipe.plugins.generators.musicgen_melody import SPEC
from mirpipe.records import AudioSegment, Float32, GenerationRequest
from tests.models.adapters.musicgen_requests import RATE, request


def noise(request: GenerationRequest) -> Any:
    """Return slightly more noise than requested, from torch's and Python's random generators."""
    return torch.randn(round(request.seconds * RATE) + 7) * random.random()


def generate(*requests: GenerationRequest, model: Any = noise) -> list[Float32]:
    """Return the clips for these requests."""
    return generate_one_by_one(requests, model, SPEC)


def test_the_same_seed_gives_the_same_clip_beside_other_requests() -> None:
    first, second = request(seed=1), request(seed=2)
    alone = generate(first)[0]
    # These seeds simulate another process, in which the random generators have another state.
    random.seed(99)
    torch.manual_seed(99)
    assert np.array_equal(generate(second, first)[1], alone)
    assert not np.array_equal(generate(second)[0], alone)


def test_generating_does_not_change_the_random_numbers_of_other_code() -> None:
    torch.manual_seed(5)
    random.seed(5)
    expected = torch.rand(1).item(), random.random()
    torch.manual_seed(5)
    random.seed(5)
    generate(request(), request(seed=1))
    assert (torch.rand(1).item(), random.random()) == expected


def test_a_clip_has_the_requested_length_and_is_clipped_at_one() -> None:
    clip = generate(request(seconds=0.12345), model=lambda request: 5 * noise(request))[0]
    assert clip.shape == (round(0.12345 * RATE),)
    assert clip.dtype == np.float32
    assert np.abs(clip).max() == 1


@pytest.mark.parametrize(
    ("unsupported", "message"),
    [
        (request(seconds=30.1), r"cannot generate 30\.1 s: it supports .* at most 30 s"),
        (request(seconds=0), "cannot generate 0 s"),
        (request(guidance=None), "guidance of 1 or more, but mode test has None"),
        (request(guidance=0.5), "has 0.5"),
        (replace(request(melody_seed=1), conditioning=None), "needs conditioning audio"),
        (
            replace(
                request(melody_seed=1), conditioning=AudioSegment(np.ones(9, np.float32), 44_100)
            ),
            "44100 Hz",
        ),
    ],
)
def test_an_unsupported_request_is_refused_before_anything_is_generated(
    unsupported: GenerationRequest, message: str
) -> None:
    calls: list[GenerationRequest] = []
    with pytest.raises(PluginError, match=message):
        generate(request(), unsupported, model=calls.append)
    assert not calls


@pytest.mark.parametrize("samples", [torch.zeros(9), torch.full((RATE,), float("nan"))])
def test_too_few_samples_and_nan_are_refused(samples: Any) -> None:
    with pytest.raises(PluginError, match="12800 finite samples"):
        generate(request(), model=lambda _: samples)


def test_a_failed_allocation_in_torch_is_an_out_of_memory() -> None:
    with pytest.raises(OutOfMemory, match="can't allocate"):
        generate(request(), model=lambda _: torch.empty(1 << 55))


def test_a_full_card_is_an_out_of_memory() -> None:
    def fill_card(_: GenerationRequest) -> Any:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(OutOfMemory, match=r"while it generated 0\.4 s"):
        generate(request(), model=fill_card)


def test_another_error_is_not_changed_to_an_out_of_memory() -> None:
    def fail(_: GenerationRequest) -> Any:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ") as raised:
        generate(request(), model=fail)
    assert not isinstance(raised.value, OutOfMemory)


def test_requests_are_generated_together_and_each_clip_has_its_own_length() -> None:
    sizes: list[int] = []

    def model(requests: Sequence[GenerationRequest]) -> list[Any]:
        sizes.append(len(requests))
        return [torch.full((RATE,), each.seed / 10) for each in requests]

    requests = [request(seed=1, seconds=0.5), request(seed=2, seconds=0.3)]
    clips = generate_together(requests, model, SPEC)
    assert sizes == [2]
    assert [(len(clip), float(clip[0])) for clip in clips] == [
        (RATE // 2, pytest.approx(0.1)),
        (RATE * 3 // 10, pytest.approx(0.2)),
    ]
    assert generate_together([], model, SPEC) == []


def test_a_batch_that_does_not_fit_is_an_out_of_memory_and_its_tensors_are_freed() -> None:
    failed: list[weakref.ref[torch.Tensor]] = []

    def small_card(_requests: Sequence[GenerationRequest]) -> list[Any]:
        tensor = torch.zeros(3)
        failed.append(weakref.ref(tensor))
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    message = r"generated 2 clips of up to 0\.4 s.*Set MIRPIPE_GENERATE_BATCH to a lower value"
    with pytest.raises(OutOfMemory, match=message) as raised:
        generate_together([request(), request(seed=1)], small_card, SPEC)
    # The batch is halved while the error still exists.
    assert raised.value.__cause__ is not None
    assert failed[0]() is None
