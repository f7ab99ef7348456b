"""Batches that fit, precision and device."""

import weakref
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from mirpipe.models.adapters.torch_runtime import Batches, device, keep_float32
from mirpipe.records import AudioSegment
from mirpipe.specs import Runtime

CLIPS = [AudioSegment(np.full(4, number, np.float32), 8000) for number in range(11)]


def batches(*, dtype: str = "float32", cpu_batch: int = 4) -> Batches:
    return Batches(Runtime({}, dtype, "cpu"), cpu_batch=cpu_batch)


def test_rows_come_in_order_whatever_the_batch() -> None:
    for size in (1, 4, 20):
        found = batches(cpu_batch=size).rows(CLIPS, lambda some: [[c.samples[0]] for c in some])
        assert np.concatenate(found).ravel().tolist() == list(range(11))


def test_out_of_memory_halves_the_batch_from_then_on() -> None:
    asked = []

    def small_card(segments: Sequence[AudioSegment]) -> list[list[float]]:
        asked.append(len(segments))
        if len(segments) > 2:
            raise torch.cuda.OutOfMemoryError
        return [[float(segment.samples[0])] for segment in segments]

    runner = batches(cpu_batch=8)
    assert np.concatenate(runner.rows(CLIPS, small_card)).ravel().tolist() == list(range(11))
    assert asked == [8, 4, 2, 2, 2, 2, 2, 1]
    asked.clear()
    runner.rows(CLIPS[:4], small_card)
    assert asked == [2, 2]


def test_what_a_failed_batch_held_is_let_go_before_the_smaller_one_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 1))
    held: list[weakref.ref[torch.Tensor]] = []
    freed: list[bool] = []
    linear = torch.nn.functional.linear

    def small_card(given: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        if len(given) > 2 and weight.shape[0] == 1:  # the first layer's output is in memory
            held.append(weakref.ref(given))
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return linear(given, weight, bias)

    monkeypatch.setattr(torch.nn.functional, "linear", small_card)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: freed.append(held[-1]() is None))
    runner = batches(cpu_batch=8)

    def run(some: Sequence[AudioSegment]) -> torch.Tensor:
        return model(torch.from_numpy(np.stack([segment.samples for segment in some])))

    found = np.concatenate(runner.rows(CLIPS, run))
    assert freed == [True, True]
    monkeypatch.undo()
    np.testing.assert_allclose(found, np.concatenate(batches().rows(CLIPS, run)), rtol=1e-5)


def test_a_clip_that_is_too_large_alone_fails() -> None:
    def no_card(_: Sequence[AudioSegment]) -> None:
        raise torch.cuda.OutOfMemoryError

    with pytest.raises(torch.cuda.OutOfMemoryError):
        batches().rows(CLIPS, no_card)


def test_bfloat16_is_used_where_configured_and_kept_away_from_what_needs_float32() -> None:
    model = torch.nn.Linear(4, 4)
    with batches(dtype="bfloat16").inference():
        assert model(torch.ones(1, 4)).dtype == torch.bfloat16
        keep_float32(model)
        assert model(torch.ones(1, 4)).dtype == torch.float32
    with batches().inference():
        assert torch.nn.Linear(4, 4)(torch.ones(1, 4)).dtype == torch.float32


def test_the_device_is_the_first_there_is_unless_it_is_named() -> None:
    assert device("cpu").type == "cpu"
    assert device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
