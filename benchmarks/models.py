"""A model library as published beside ours: audio seconds a CPU second, agreement, peak memory.

Runs in the models' interpreter: `python -m benchmarks.models NAME speed|memory` prints JSON.
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

from benchmarks.full_size import write
from mirpipe import registry
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime
from tests.support.synthetic_music import melody

SECONDS = 60
REPEATS = 3
ENOUGH_SECONDS = 100
"""Of the processor, after which nothing is repeated."""
SECONDS_OF_PEAK = 20


def speed(name: str, folder: Path) -> dict[str, float]:
    """Seconds of audio a CPU second of the library and of ours in both precisions, by turns."""
    from benchmarks.as_published import library

    segments = music(name, SECONDS)
    windows = np.stack([segment.samples for segment in segments])
    files = write(name, folder)
    published = library(name, files)
    ours = {dtype: plugin(name, files, dtype) for dtype in ("float32", "bfloat16")}
    runs: dict[str, Callable[[], Float32]] = {
        "library": lambda: published(windows),
        "float32": lambda: ours["float32"](segments),
        "bfloat16": lambda: ours["bfloat16"](segments),
    }
    spent = {which: float("inf") for which in runs}
    made: dict[str, Float32] = {}
    published(windows[:1])  # the first call costs more
    for run in ours.values():
        run(segments[:1])
    repeats, began = 0, time.process_time()
    while repeats < REPEATS and (not repeats or time.process_time() - began < ENOUGH_SECONDS):
        for which, measured in runs.items():
            started = time.process_time()
            made[which] = measured()
            spent[which] = min(spent[which], time.process_time() - started)
        repeats += 1
    if len(made["library"]) < len(segments):
        made = {which: rows.mean(0, keepdims=True) for which, rows in made.items()}
    return {
        **{which: SECONDS / seconds for which, seconds in spent.items()},
        "repeats": repeats,
        "cosine_to_library": cosine(made["float32"], made["library"]),
        "cosine_of_bfloat16": cosine(made["bfloat16"], made["float32"]),
        "largest_difference": float(np.abs(made["bfloat16"] - made["float32"]).max()),
    }


def memory(name: str, folder: Path) -> dict[str, float]:
    """Peak of a process that loads ours and works on some windows."""
    segments, files = music(name, SECONDS_OF_PEAK), write(name, folder)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of writing the weights
    plugin(name, files, "float32")(segments)
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return {"peak_megabytes": peak / 1024}


def arithmetic() -> dict[str, float]:
    """What bfloat16 can gain here at most: times as many products of matrices a second."""
    spent = []
    for dtype in (torch.float32, torch.bfloat16):
        one = torch.randn(2048, 2048).to(dtype)
        times = []
        for _ in range(7):
            started = time.process_time()
            one @ one
            times.append(time.process_time() - started)
        spent.append(min(times))
    return {"bfloat16_to_float32": spent[0] / spent[1]}


def plugin(
    name: str, files: Mapping[Any, Path], dtype: str
) -> Callable[[list[AudioSegment]], Float32]:
    """Ours, loaded."""
    kind = registry.plugins_of(name)
    loaded = kind._module(name).Plugin(Runtime(files, dtype, "cpu"))
    run: Callable[[list[AudioSegment]], Float32] = getattr(loaded, "embed", None) or loaded.score
    return run


def music(name: str, seconds: int) -> list[AudioSegment]:
    """Windows of ten seconds, each its own music."""
    spec = registry.plugins_of(name).declared(name)
    count = seconds * spec.sample_rate // spec.window_samples
    return [
        AudioSegment(melody(10, spec.sample_rate, seed=number), spec.sample_rate)
        for number in range(count)
    ]


def cosine(some: Float32, others: Float32) -> float:
    """The lowest of all windows."""
    norms = np.linalg.norm(some, axis=1) * np.linalg.norm(others, axis=1)
    return float(((some * others).sum(1) / norms).min())


def main() -> None:
    """Prints what was measured."""
    warnings.simplefilter("ignore")
    if sys.argv[1:] == ["arithmetic"]:
        print(json.dumps(arithmetic()))
        return
    name, measure = sys.argv[1:]
    sys.argv[1:] = []
    with TemporaryDirectory() as folder:
        found = {"speed": speed, "memory": memory}[measure](name, Path(folder))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
