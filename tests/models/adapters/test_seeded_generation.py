"""What every torch generator owes to a request, shown on one that makes nothing but noise."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mirpipe.errors import OutOfMemory, PluginError
from mirpipe.models.adapters.seeded_generation import one_by_one
from mirpipe.plugins.generators.musicgen_melody import SPEC
from mirpipe.records import AudioSegment, Float32, Request
from tests.models.adapters.musicgen_requests import RATE, request


def noise(asked: Request) -> Any:
    return torch.randn(round(asked.seconds * RATE) + 7) * random.random()


def made(*requests: Request, make: Any = noise) -> list[Float32]:
    return one_by_one(requests, make, SPEC)


def test_a_seed_repeats_its_clip_whatever_stands_beside_it() -> None:
    one, other = request(seed=1), request(seed=2)
    alone = made(one)[0]
    random.seed(99)  # as it might be in another process
    torch.manual_seed(99)
    assert np.array_equal(made(other, one)[1], alone)
    assert not np.array_equal(made(other)[0], alone)


def test_random_numbers_of_others_go_on_as_if_nothing_had_been_made() -> None:
    torch.manual_seed(5)
    random.seed(5)
    expected = torch.rand(1).item(), random.random()
    torch.manual_seed(5)
    random.seed(5)
    made(request(), request(seed=1))
    assert (torch.rand(1).item(), random.random()) == expected


def test_a_clip_is_as_long_as_asked_for_and_never_louder_than_one() -> None:
    clip = made(request(seconds=0.12345), make=lambda asked: 5 * noise(asked))[0]
    assert clip.shape == (round(0.12345 * RATE),)
    assert clip.dtype == np.float32
    assert np.abs(clip).max() == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (request(seconds=30.1), "at most 30 s at once, not 30.1 s"),
        (request(seconds=0), "not 0 s"),
        (request(guidance=None), "guidance of 1 or more; mode test has None"),
        (request(guidance=0.5), "has 0.5"),
        (replace(request(heard=1), conditioning=None), "needs conditioning audio"),
        (
            replace(request(heard=1), conditioning=AudioSegment(np.ones(9, np.float32), 44_100)),
            "44100 Hz",
        ),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is(asked: Request, said: str) -> None:
    calls: list[Request] = []
    with pytest.raises(PluginError, match=said):
        made(request(), asked, make=calls.append)
    assert not calls


@pytest.mark.parametrize("samples", [torch.zeros(9), torch.full((RATE,), float("nan"))])
def test_too_little_and_what_is_no_number_is_not_passed_on(samples: Any) -> None:
    with pytest.raises(PluginError, match="12800 finite ones"):
        made(request(), make=lambda _: samples)


def test_memory_that_torch_cannot_get_is_an_out_of_memory() -> None:
    with pytest.raises(OutOfMemory, match="can't allocate"):
        made(request(), make=lambda _: torch.empty(1 << 55))


def test_a_full_card_is_an_out_of_memory() -> None:
    def fill(_: Request) -> Any:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(OutOfMemory, match=r"0\.4 s do not fit"):
        made(request(), make=fill)


def test_another_failure_is_not_taken_for_a_full_memory() -> None:
    def fail(_: Request) -> Any:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ") as caught:
        made(request(), make=fail)
    assert not isinstance(caught.value, OutOfMemory)
