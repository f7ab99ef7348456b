"""Compares one model library with mirpipe's adapter: speed, agreement and peak memory.

The speed is also given as a share of the processor's peak: the floating-point operations per second
of a large matrix product.

The module runs in the interpreter of the model libraries: `python -m benchmarks.models NAME
speed|memory` prints JSON.
"""

import gc
import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.full_size import write_random_weights
from mirpipe import registry
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime
from tests.support.synthetic_music import melody

SECONDS = 60
REPEATS = 3
MAX_CPU_SECONDS = 100
"""CPU time, in seconds, after which no further round is started."""
MATRIX_SIZE = 2048
"""Rows and columns of the matrices whose product measures the processor's peak."""
SECONDS_FOR_PEAK = 20
"""Length, in seconds, of the music with which the peak memory is measured."""


def speed(name: str, folder: Path) -> dict[str, float]:
    """Return seconds of audio per CPU second: of the library, and of the adapter in both dtypes.

    `operations` are the floating-point operations per second of audio in matrix products and
    convolutions, and `peak` those per CPU second in a matrix product.
    """
    from mirpipe.models.adapters.library_calls import load_library

    segments = music(name, SECONDS)
    windows = np.stack([segment.samples for segment in segments])
    files = write_random_weights(name, folder)
    library = load_library(name, files).run
    adapters = {dtype: load_adapter(name, files, dtype) for dtype in ("float32", "bfloat16")}
    runs: dict[str, Callable[[], Float32]] = {
        "library": lambda: library(windows),
        "float32": lambda: adapters["float32"](segments),
        "bfloat16": lambda: adapters["bfloat16"](segments),
    }
    best_seconds = {label: float("inf") for label in runs}
    best_product = float("inf")
    rows: dict[str, Float32] = {}
    # The first call takes longer, so it is not measured.
    library(windows[:1])
    for adapter in adapters.values():
        adapter(segments[:1])
    with FlopCounterMode(display=False) as counter:
        adapters["float32"](segments[:1])
    repeats, start_of_all = 0, time.process_time()
    while repeats < REPEATS and (
        not repeats or time.process_time() - start_of_all < MAX_CPU_SECONDS
    ):
        for label, run in runs.items():
            started = time.process_time()
            rows[label] = run()
            best_seconds[label] = min(best_seconds[label], time.process_time() - started)
        best_product = min(best_product, product_seconds(torch.float32))
        repeats += 1
    if len(rows["library"]) < len(segments):
        rows = {label: values.mean(0, keepdims=True) for label, values in rows.items()}
    return {
        **{label: SECONDS / seconds for label, seconds in best_seconds.items()},
        "repeats": repeats,
        "operations": counter.get_total_flops() * len(segments) / SECONDS,
        "peak": 2 * MATRIX_SIZE**3 / best_product,
        "cosine_to_library": lowest_cosine(rows["float32"], rows["library"]),
        "cosine_of_bfloat16": lowest_cosine(rows["bfloat16"], rows["float32"]),
        "largest_difference": float(np.abs(rows["bfloat16"] - rows["float32"]).max()),
    }


def memory(name: str, folder: Path) -> dict[str, float]:
    """Return the peak memory of this process while it loads the adapter and runs some windows."""
    segments, files = music(name, SECONDS_FOR_PEAK), write_random_weights(name, folder)
    gc.collect()
    # The peak memory is reset, because writing the weights also took memory.
    Path("/proc/self/clear_refs").write_text("5")
    load_adapter(name, files, "float32")(segments)
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return {"peak_megabytes": peak / 1024}


def arithmetic() -> dict[str, float]:
    """Return the time of a matrix product in float32 divided by its time in bfloat16.

    The ratio is the largest possible gain from bfloat16 on this processor.
    """
    float32, bfloat16 = map(product_seconds, (torch.float32, torch.bfloat16))
    return {"bfloat16_to_float32": float32 / bfloat16}


def product_seconds(dtype: torch.dtype) -> float:
    """Return the CPU seconds of the fastest of seven matrix products."""
    matrix = torch.randn(MATRIX_SIZE, MATRIX_SIZE).to(dtype)
    seconds = []
    for _ in range(7):
        started = time.process_time()
        matrix @ matrix
        seconds.append(time.process_time() - started)
    return min(seconds)


def load_adapter(
    name: str, files: Mapping[Any, Path], dtype: str
) -> Callable[[list[AudioSegment]], Float32]:
    """Load the plug-in. Return the plug-in's method that runs the model."""
    kind = registry.plugins_of(name)
    plugin = kind._module(name).Plugin(Runtime(files, dtype, "cpu"))
    run: Callable[[list[AudioSegment]], Float32] = getattr(plugin, "embed", None) or plugin.score
    return run


def music(name: str, seconds: int) -> list[AudioSegment]:
    """Return windows of ten seconds, each with different music."""
    spec = registry.plugins_of(name).declared(name)
    count = seconds * spec.sample_rate // spec.window_samples
    return [
        AudioSegment(melody(10, spec.sample_rate, seed=number), spec.sample_rate)
        for number in range(count)
    ]


def lowest_cosine(rows: Float32, other_rows: Float32) -> float:
    """Return the lowest cosine similarity between two rows of the same window."""
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(other_rows, axis=1)
    return float(((rows * other_rows).sum(1) / norms).min())


def main() -> None:
    """Print the result as JSON."""
    warnings.simplefilter("ignore")
    if sys.argv[1:] == ["arithmetic"]:
        print(json.dumps(arithmetic()))
        return
    name, measure = sys.argv[1:]
    sys.argv[1:] = []
    with TemporaryDirectory() as folder:
        result = {"speed": speed, "memory": memory}[measure](name, Path(folder))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
