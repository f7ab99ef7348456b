"""Runs one model, or its library, on the clips, in a process of its own.

The program `python -m mirpipe.operations.model_check.measurement NAME ROLE DEMO OUTPUT` writes a
Measurement as JSON to the file OUTPUT. ROLE is `mirpipe` or `library`. A process of its own has the
peak memory of this model alone, and shows whether two processes compute equal numbers.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from mirpipe import registry
from mirpipe.models import device_lease, peak_memory, weight_files
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
    """One vector per text. None if the model does not embed text, or if the weights that only
    texts need are missing."""
    captions: list[str]
    """One caption per clip. Empty for other models."""
    seconds: float
    """Time for all clips, without loading the model."""
    peak_megabytes: float | None
    """Largest resident memory of the process, in MB (10^6 bytes), with the model and the libraries.
    None without Linux's /proc."""


Call = Callable[[list[Any]], Sequence[Any]]
TextCall = Callable[[Sequence[str]], Float32]


def measure(name: str, role: Role, demo: Path) -> Measurement:
    """Return the measurement of the plug-in, or of its library with the same weights.

    Raises Unavailable if weights or libraries are missing.
    """
    kind = registry.plugins_of(name)
    inputs = _inputs(name, demo)
    with device_lease.hold_gpu([kind.needs(name)]):
        calls = _plugin_calls(kind.load(name)) if role == "mirpipe" else _library_calls(name)
        run, embed_text = calls
        started = time.perf_counter()
        results = run(inputs)
        seconds = time.perf_counter() - started
        texts = None
        if embed_text is not None and _has_text_weights(name):
            texts = embed_text(TEXTS)
    # ru_maxrss would contain the memory of the process that started this one.
    peak_bytes = peak_memory.read("cpu")
    peak = None if peak_bytes is None else peak_bytes / 1e6
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


def _plugin_calls(plugin: Any) -> tuple[Call, TextCall | None]:
    """Return the plug-in's call for the inputs, and its call for texts, if it has one."""
    if hasattr(plugin, "caption"):
        # Models that are checked caption the segment alone.
        no_features = cast(Features, None)
        return lambda segments: plugin.caption(
            [CaptionInput(segment, no_features) for segment in segments]
        ), None
    method = next(name for name in ("embed", "score", "generate") if hasattr(plugin, name))
    return getattr(plugin, method), getattr(plugin, "embed_text", None)


def _has_text_weights(name: str) -> bool:
    return all(map(weight_files.find_weights, registry.plugins_of(name).needs(name).text_weights))


def _library_calls(name: str) -> tuple[Call, TextCall | None]:
    """Return a function that calls the library once per input, and one for texts, if it has one.

    Encoders and metrics run on the CPU.
    """
    kind = registry.plugins_of(name)
    if kind is registry.GENERATORS:
        from mirpipe.models.adapters.generation_library_calls import load_generator

        generate = load_generator(kind.runtime(name), kind.spec(name))
        return lambda requests: [generate(request) for request in requests], None
    if kind is registry.CAPTIONERS:
        from mirpipe.models.adapters.generation_library_calls import load_captioner

        caption = load_captioner(kind.runtime(name), kind.spec(name), max_new_tokens=MAX_NEW_TOKENS)
        return lambda segments: [caption(segment) for segment in segments], None
    from mirpipe.models.adapters.library_calls import load_library

    needs = kind.needs(name)
    needed = (needs.weights, needs.text_weights if _has_text_weights(name) else ())
    files, text_files = (
        {
            file: weights.path
            for file, weights in weight_files.verified_weights(group, plugin=name).items()
        }
        for group in needed
    )
    library = load_library(name, files, text_files)

    def run(segments: list[Any]) -> Sequence[Any]:
        return [library.run(segment.samples[None]).squeeze(0) for segment in segments]

    return run, library.embed_text


def main() -> None:
    """Write the measurement to the file in the last argument."""
    name, role, demo, output = sys.argv[1:]
    sys.argv[1:] = []  # Some libraries parse the command line.
    measurement = measure(name, cast(Role, role), Path(demo))
    Path(output).write_text(json.dumps(asdict(measurement)))


if __name__ == "__main__":
    main()
