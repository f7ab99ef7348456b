"""Runs one model, or its library, on the clips, in a process of its own.

The program `python -m mirpipe.operations.model_check.measurement NAME ROLE DEMO OUTPUT` writes a
Measurement as JSON to the file OUTPUT. ROLE is `mirpipe` or `library`. A process of its own has the
peak memory of this model alone, and shows whether two processes compute equal numbers.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from mirpipe import registry
from mirpipe.models import device_lease, weight_files
from mirpipe.operations.model_check.demo_clips import TEXTS, generation_requests, read_segments
from mirpipe.plugins.captioners.qwen2_audio import MAX_NEW_TOKENS
from mirpipe.records import CaptionInput, Features, Float32

Role = Literal["mirpipe", "library"]


@dataclass(frozen=True)
class Measurement:
    """What one process computed, and what it cost."""

    rows: list[list[float]]
    """One row per clip: a vector, or scores. From a generator, the samples of its clips. Empty for
    a captioner."""
    texts: list[list[float]] | None
    """One vector per text. None if the model does not embed text, or if it was not asked."""
    captions: list[str]
    """One caption per clip. Empty for other models."""
    seconds: float
    """Time for all clips, without loading the model."""
    peak_megabytes: float
    """Peak memory of the process, in MB, with the model and the libraries."""


def measure(name: str, role: Role, demo: Path) -> Measurement:
    """Return the measurement of the plug-in, or of its library with the same weights.

    Raises Unavailable if weights or libraries are missing.
    """
    kind = registry.plugins_of(name)
    inputs = _inputs(name, demo)
    with device_lease.hold_gpu([kind.needs(name)]):
        plugin = kind.load(name) if role == "mirpipe" else None
        run = _library_call(name) if plugin is None else _plugin_call(plugin)
        started = time.perf_counter()
        results = run(inputs)
        seconds = time.perf_counter() - started
        texts = None if plugin is None else _text_vectors(name, plugin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if kind is registry.CAPTIONERS:
        return Measurement([], None, list(results), seconds, peak)
    rows = [np.asarray(result).tolist() for result in results]
    return Measurement(rows, None if texts is None else texts.tolist(), [], seconds, peak)


def _inputs(name: str, demo: Path) -> list[Any]:
    """Return what the plug-in takes: segments of audio, or requests for a generator."""
    kind = registry.plugins_of(name)
    if kind is registry.GENERATORS:
        return generation_requests(demo, kind.declared(name).sample_rate)
    return read_segments(demo, kind.spec(name))


def _plugin_call(plugin: Any) -> Callable[[list[Any]], Sequence[Any]]:
    if hasattr(plugin, "caption"):
        # Models that are checked caption the segment alone.
        no_features = cast(Features, None)
        return lambda segments: plugin.caption(
            [CaptionInput(segment, no_features) for segment in segments]
        )
    method = next(name for name in ("embed", "score", "generate") if hasattr(plugin, name))
    return cast(Callable[[list[Any]], Sequence[Any]], getattr(plugin, method))


def _text_vectors(name: str, plugin: Any) -> Float32 | None:
    """Return the plug-in's vectors of the texts. None if it cannot embed text."""
    kind = registry.plugins_of(name)
    has_weights = all(map(weight_files.find_weights, kind.needs(name).text_weights))
    if kind is registry.ENCODERS and kind.takes_text(name) and has_weights:
        return cast(Float32, plugin.embed_text(TEXTS))
    return None


def _library_call(name: str) -> Callable[[list[Any]], Sequence[Any]]:
    """Return a function that calls the library once per input.

    Encoders and metrics run on the CPU.
    """
    kind = registry.plugins_of(name)
    if kind is registry.GENERATORS:
        from mirpipe.models.adapters.generation_library_calls import load_generator

        generate = load_generator(kind.runtime(name), kind.spec(name))
        return lambda requests: [generate(request) for request in requests]
    if kind is registry.CAPTIONERS:
        from mirpipe.models.adapters.generation_library_calls import load_captioner

        caption = load_captioner(kind.runtime(name), kind.spec(name), max_new_tokens=MAX_NEW_TOKENS)
        return lambda segments: [caption(segment) for segment in segments]
    from mirpipe.models.adapters.library_calls import load_library

    needed = kind.needs(name).weights
    files = {file: weight_files.verified_weights(file, plugin=name).path for file in needed}
    run = load_library(name, files)
    return lambda segments: [run(segment.samples[None]).squeeze(0) for segment in segments]


def main() -> None:
    """Write the measurement to the file in the last argument."""
    name, role, demo, output = sys.argv[1:]
    sys.argv[1:] = []  # Some libraries parse the command line.
    measurement = measure(name, cast(Role, role), Path(demo))
    Path(output).write_text(json.dumps(asdict(measurement)))


if __name__ == "__main__":
    main()
