"""Tests for torch batches: their order, their size and the memory that they need."""

import weakref
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from mirpipe.models.adapters.torch_batch_halving import BatchRunner
from mirpipe.records import AudioSegment
from mirpipe.specs import Runtime

SEGMENTS = [AudioSegment(np.full(4, number, np.float32), 8000) for number in range(11)]


def batch_runner(*, cpu_batch: int = 4) -> BatchRunner:
    """Return a runner on the CPU with this batch size."""
    return BatchRunner(Runtime({}, "float32", "cpu"), cpu_batch=cpu_batch)


@pytest.mark.parametrize("batch_size", [1, 4, 20])
def test_rows_are_in_order_with_any_batch_size(batch_size: int) -> None:
    rows = batch_runner(cpu_batch=batch_size).run(
        SEGMENTS, lambda batch: [[segment.samples[0]] for segment in batch]
    )
    assert np.concatenate(rows).ravel().tolist() == list(range(11))


def test_out_of_memory_halves_all_later_batches() -> None:
    batch_sizes = []

    def small_card(segments: Sequence[AudioSegment]) -> list[list[float]]:
        batch_sizes.append(len(segments))
        if len(segments) > 2:
            raise torch.cuda.OutOfMemoryError
        return [[float(segment.samples[0])] for segment in segments]

    runner = batch_runner(cpu_batch=8)
    assert np.concatenate(runner.run(SEGMENTS, small_card)).ravel().tolist() == list(range(11))
    assert batch_sizes == [8, 4, 2, 2, 2, 2, 2, 1]
    batch_sizes.clear()
    runner.run(SEGMENTS[:4], small_card)
    assert batch_sizes == [2, 2]


def test_the_tensors_of_a_failed_batch_are_freed_before_the_smaller_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 1))
    failed_inputs: list[weakref.ref[torch.Tensor]] = []
    is_freed: list[bool] = []
    linear = torch.nn.functional.linear

    def small_card(inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        is_second_layer = weight.shape[0] == 1
        if len(inputs) > 2 and is_second_layer:
            failed_inputs.append(weakref.ref(inputs))
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return linear(inputs, weight, bias)

    monkeypatch.setattr(torch.nn.functional, "linear", small_card)
    monkeypatch.setattr(
        torch.cuda, "empty_cache", lambda: is_freed.append(failed_inputs[-1]() is None)
    )

    def run(segments: Sequence[AudioSegment]) -> torch.Tensor:
        return model(torch.from_numpy(np.stack([segment.samples for segment in segments])))

    rows = np.concatenate(batch_runner(cpu_batch=8).run(SEGMENTS, run))
    assert is_freed == [True, True]
    monkeypatch.undo()
    np.testing.assert_allclose(rows, np.concatenate(batch_runner().run(SEGMENTS, run)), rtol=1e-5)


def test_a_batch_smaller_than_the_limit_is_halved_at_once() -> None:
    batch_sizes = []

    def small_card(segments: Sequence[AudioSegment]) -> list[list[float]]:
        batch_sizes.append(len(segments))
        if len(segments) > 2:
            raise torch.cuda.OutOfMemoryError
        return [[float(segment.samples[0])] for segment in segments]

    batch_runner(cpu_batch=64).run(SEGMENTS[:5], small_card)
    assert batch_sizes == [5, 2, 2, 1]


def test_a_single_segment_that_does_not_fit_is_an_error_and_its_tensors_are_freed() -> None:
    batch_sizes = []
    inputs: list[weakref.ref[torch.Tensor]] = []

    def full_card(segments: Sequence[AudioSegment]) -> None:
        batch_sizes.append(len(segments))
        samples = torch.from_numpy(segments[0].samples)
        inputs.append(weakref.ref(samples))
        raise torch.cuda.OutOfMemoryError

    runner = batch_runner(cpu_batch=8)
    with pytest.raises(torch.cuda.OutOfMemoryError) as raised:
        runner.run(SEGMENTS[:1], full_card)
    assert [each() for each in inputs] == [None]
    assert batch_sizes == [1]
    assert raised.value is not None
    # A failure of one segment says nothing about the memory that other batches need.
    runner.run(SEGMENTS[:8], lambda batch: batch_sizes.append(len(batch)) or [[0.0]] * len(batch))
    assert batch_sizes == [1, 8]
