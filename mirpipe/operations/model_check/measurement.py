"""Runs one model, or its library, on the clips, in a process of its own.

The program `python -m mirpipe.operations.model_check.measurement NAME ROLE DEMO OUTPUT` writes a
Measurement as JSON to the file OUTPUT. ROLE is `mirpipe` or `library`. A process of its own has the
peak memory of this model alone, and shows whether two processes compute equal numbers.
"""

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from mirpipe import registry
from mirpipe.models import device_lease, weight_files
from mirpipe.operations.model_check.demo_clips import TEXTS, read_segments
from mirpipe.records import AudioSegment, Float32

Role = Literal["mirpipe", "library"]


@dataclass(frozen=True)
class Measurement:
    """What one process computed, and what it cost."""

    rows: list[list[float]]
    """One row per clip: a vector, or scores."""
    texts: list[list[float]] | None
    """One vector per text. None if the model does not embed text, or if it was not asked."""
    seconds: float
    """Time for all clips, without loading the model."""
    peak_megabytes: float
    """Peak memory of the process, in MB, with the model and the libraries."""


def measure(name: str, role: Role, demo: Path) -> Measurement:
    """Return the measurement of the plug-in, or of its library with the same weights.

    Raises Unavailable if weights or libraries are missing.
    """
    kind = registry.plugins_of(name)
    segments = read_segments(demo, kind.spec(name))
    texts: Float32 | None = None
    if role == "library":
        rows, seconds = _run_library(name, segments)
    else:
        with device_lease.hold_gpu([kind.needs(name)]):
            rows, texts, seconds = _run_plugin(name, segments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measurement(rows.tolist(), None if texts is None else texts.tolist(), seconds, peak)


def _run_plugin(name: str, segments: list[AudioSegment]) -> tuple[Float32, Float32 | None, float]:
    """Return the plug-in's rows, its vectors of the texts, and the seconds for the rows."""
    kind = registry.plugins_of(name)
    plugin = cast(Any, kind.load(name))
    run = plugin.embed if kind is registry.ENCODERS else plugin.score
    started = time.perf_counter()
    rows = run(segments)
    seconds = time.perf_counter() - started
    takes_text = all(map(weight_files.find_weights, kind.needs(name).text_weights))
    if kind is registry.ENCODERS and registry.ENCODERS.takes_text(name) and takes_text:
        return rows, plugin.embed_text(TEXTS), seconds
    return rows, None, seconds


def _run_library(name: str, segments: list[AudioSegment]) -> tuple[Float32, float]:
    """Return the library's rows, one call per clip, on the CPU, and the seconds for them."""
    from mirpipe.models.adapters.library_calls import load_library

    needed = registry.plugins_of(name).needs(name).weights
    files = {file: weight_files.verified_weights(file, plugin=name).path for file in needed}
    run = load_library(name, files)
    started = time.perf_counter()
    rows = np.concatenate([run(segment.samples[None]) for segment in segments])
    return rows, time.perf_counter() - started


def main() -> None:
    """Write the measurement to the file in the last argument."""
    name, role, demo, output = sys.argv[1:]
    sys.argv[1:] = []  # Some libraries parse the command line.
    measurement = measure(name, cast(Role, role), Path(demo))
    Path(output).write_text(json.dumps(asdict(measurement)))


if __name__ == "__main__":
    main()
