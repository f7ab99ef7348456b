"""Measures one encoder or Audiobox: speed by batch size, memory, number formats, halved batches."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch

from benchmarks.full_size import write_random_weights
from benchmarks.full_size_generation import published_paths
from benchmarks.models import lowest_cosine
from mirpipe import registry
from mirpipe.models.adapters.torch_batch_halving import BatchRunner
from mirpipe.records import AudioSegment, Float32
from tests.support.synthetic_music import melody
from tools.bench_cuda.measurement import (
    Options,
    best_seconds,
    load_plugin,
    peak_megabytes,
    reset_peak,
)
from tools.bench_cuda.small_card import room_for_part_of, small_card

DTYPES = ("float32", "bfloat16")
LARGEST_BATCH = 512
WORTHWHILE_GAIN = 1.03
"""A batch of twice the size must be faster by this factor. Otherwise, the smaller batch fills the
card."""
DIFFERENT_WINDOWS = 8


def measure_windows(name: str, options: Options) -> dict[str, Any]:
    """Return the results of one encoder or track metric.

    `speed` contains seconds of audio per second, by number format and batch size; `peak_megabytes`
    is that of the batch that fills the card.
    """
    files = weights_of(name, options)
    spec = registry.plugins_of(name).declared(name)
    window_seconds = spec.window_samples / spec.sample_rate
    different = [
        AudioSegment(melody(window_seconds, spec.sample_rate, seed=seed), spec.sample_rate)
        for seed in range(2 if options.is_tiny else DIFFERENT_WINDOWS)
    ]
    result: dict[str, Any] = {"window_seconds": window_seconds}
    rows: dict[str, Float32] = {}
    for dtype in DTYPES:
        plugin = load_plugin(name, files, dtype, options)
        run, runner = method_of(plugin), runner_of(plugin)
        default_batch = runner.batch_size
        rows[dtype] = run(different)
        result[dtype] = _speed_by_batch(run, runner, different, window_seconds, options)
        result[dtype]["default_batch"] = default_batch
        if dtype == "float32":
            result["halving"] = _halving(run, runner, different, result[dtype], options)
        del plugin, run, runner
    result["agreement"] = {
        "cosine": lowest_cosine(rows["bfloat16"], rows["float32"]),
        "largest_difference": float(np.abs(rows["bfloat16"] - rows["float32"]).max()),
    }
    return result


def weights_of(name: str, options: Options) -> dict[Any, Any]:
    """Write random weights, in full size or small. Return the path of each file."""
    if not options.is_tiny:
        return write_random_weights(name, options.folder)
    from tests.models.adapters.random_weights_of_all_models import WRITERS

    WRITERS[name](options.folder)
    return published_paths(registry.plugins_of(name).needs(name).weights, options.folder)


def method_of(plugin: Any) -> Callable[[Sequence[AudioSegment]], Float32]:
    """Return the method that runs the model on windows."""
    run: Callable[[Sequence[AudioSegment]], Float32] = (
        getattr(plugin, "embed", None) or plugin.score
    )
    return run


def runner_of(plugin: Any) -> BatchRunner:
    """Return the part of the plug-in that divides windows into batches."""
    adapters = [value for value in vars(plugin).values() if hasattr(value, "__dict__")]
    [runner] = [
        value
        for adapter in adapters
        for value in vars(adapter).values()
        if isinstance(value, BatchRunner)
    ]
    return runner


def _speed_by_batch(
    run: Callable[[Sequence[AudioSegment]], Float32],
    runner: BatchRunner,
    different: Sequence[AudioSegment],
    window_seconds: float,
    options: Options,
) -> dict[str, Any]:
    """Return the speed with batches of 1, 2, 4 and so on, until the card is full or not faster."""
    speeds: dict[int, float] = {}
    peaks: dict[int, int] = {}
    size = 1
    while size <= (2 if options.is_tiny else LARGEST_BATCH):
        segments = [different[number % len(different)] for number in range(size)]
        runner.batch_size = size
        reset_peak(options.device)
        try:
            seconds = best_seconds(lambda segments=segments: run(segments), options)  # type: ignore[misc]
        except torch.cuda.OutOfMemoryError:
            break
        if runner.batch_size < size:  # The batch was halved, because it did not fit.
            break
        speeds[size] = size * window_seconds / seconds
        peaks[size] = peak_megabytes(options.device)
        if size >= 8 and speeds[size] < WORTHWHILE_GAIN * speeds[size // 2]:
            break
        size *= 2
    best = max(speeds, key=speeds.__getitem__)
    return {
        "speed": {str(batch): round(speed, 2) for batch, speed in speeds.items()},
        "best_batch": best,
        "best_speed": round(speeds[best], 2),
        "peak_megabytes": peaks[best],
        "is_full": size not in speeds and size <= LARGEST_BATCH and not options.is_tiny,
    }


def _halving(
    run: Callable[[Sequence[AudioSegment]], Float32],
    runner: BatchRunner,
    different: Sequence[AudioSegment],
    speed: dict[str, Any],
    options: Options,
) -> dict[str, Any]:
    """Return whether a batch that does not fit is halved, and the rows' agreement with single ones.

    On the CPU, the error is simulated.
    """
    size = max(4, speed["best_batch"])
    segments = [different[number % len(different)] for number in range(size)]
    runner.batch_size = 1
    alone = run(segments[: len(different)])
    runner.batch_size = size
    with limited_memory(runner, speed["peak_megabytes"], options):
        rows = run(segments)
    return {
        "from": size,
        "to": runner.batch_size,
        "cosine": lowest_cosine(rows[: len(alone)], alone),
        "is_simulated": options.device == "cpu",
    }


@contextmanager
def limited_memory(runner: BatchRunner, peak: float, options: Options) -> Iterator[None]:
    """While the context is open, a complete batch does not fit into memory."""
    if options.device == "cuda":
        with small_card(room_for_part_of(peak)):
            yield
        return
    run = runner.run

    def run_on_small_card(segments: Sequence[AudioSegment], model: Callable[..., Any]) -> Any:
        def limited(batch: Sequence[AudioSegment]) -> Any:
            if len(batch) > 1:
                raise torch.cuda.OutOfMemoryError("simulated")
            return model(batch)

        return run(segments, limited)

    with mock.patch.object(runner, "run", run_on_small_card):
        yield
