"""Runs every installed plug-in without a network and prints the results as JSON.

The program's argument is the path of a ten-minute file. All plug-ins run in one process, because
loading the libraries takes most of the time.
"""

import hashlib
import itertools
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn

from mirpipe import audio, registry
from tests.plugins.contract import test_captioners, test_generators
from tests.plugins.contract.installed_plugins import (
    KINDS,
    Spec,
    compute_rows,
    different_segments,
    installed,
    load_once,
)

ALL_INSTALLED = [(kind.kind, name) for kind in registry.KINDS for name in installed(kind)]
"""Kind and name of each installed plug-in."""
LONG_SAMPLES = 10 * 60 * 16_000
"""Number of samples in ten minutes at 16 kHz, also used at higher rates. They take 38 MB."""

BATCH_SIZE = 2
"""Segments per batch. A minute fills at least one batch of each plug-in, so that peaks compare."""

_RESET_PEAK = "5"
"""Value that resets the peak memory in /proc/self/clear_refs."""


def digest(kind: str, name: str) -> str:
    """Return the SHA-256 of the plug-in's results for different music, in hex."""
    return hashlib.sha256(b"\0".join(_results(kind, name))).hexdigest()


def _results(kind: str, name: str) -> list[bytes]:
    """Return the plug-in's results for different music."""
    if kind == "captioner":
        inputs = test_captioners.different_inputs(registry.CAPTIONERS.spec(name))
        return [caption.encode() for caption in test_captioners.load_once(name).caption(inputs)]
    if kind == "generator":
        requests = test_generators.different_requests(registry.GENERATORS.spec(name))
        return [clip.tobytes() for clip in test_generators.load_once(name).generate(requests)]
    segments = different_segments(KINDS[kind].spec(name))
    return [row.tobytes() for row in compute_rows(kind, name, segments)]


def peak_megabytes(kind: str, spec: Spec, path: Path, *, seconds: float, times: int) -> float:
    """Return the peak memory of this process while the plug-in processes a file's start.

    The plug-in processes the first `seconds` of the file `times` times.
    """
    Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    request = audio.WindowRequest(spec.sample_rate, spec.window_samples)
    count = round(seconds * spec.sample_rate / spec.window_samples)
    for _ in range(times):
        windows = itertools.islice(audio.read_windows(path, [request]), count)
        segments = (segment for _, segment in windows)
        while batch := list(itertools.islice(segments, BATCH_SIZE)):
            compute_rows(kind, spec.name, batch)
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def captured_output(result: dict[str, Any]) -> Iterator[None]:
    """Store in `result` what is printed to `stdout` and `stderr`, including output from C code."""
    descriptors = {"stdout": 1, "stderr": 2}
    saved = {name: os.dup(number) for name, number in descriptors.items()}
    with TemporaryFile() as out, TemporaryFile() as err:
        files = {"stdout": out, "stderr": err}
        for name, number in descriptors.items():
            os.dup2(files[name].fileno(), number)
        try:
            yield
        finally:
            for name, number in descriptors.items():
                getattr(sys, name).flush()
                os.dup2(saved[name], number)
                os.close(saved[name])
                files[name].seek(0)
                result[name] = files[name].read().decode()


def refuse_connection(*_: object) -> NoReturn:
    """Raise AssertionError instead of opening a connection."""
    raise AssertionError("the plug-in used the network")


def main() -> None:
    """Print one OfflineResult (`tests.plugins.contract.conftest`) per plug-in, as JSON."""
    path = Path(sys.argv[1])
    socket.socket.connect = refuse_connection  # type: ignore[method-assign,assignment]
    socket.getaddrinfo = refuse_connection  # type: ignore[assignment]
    results = {}
    for kind, name in ALL_INSTALLED:
        result = results[name] = {}
        before = list(sys.argv), list(sys.path)
        with captured_output(result):
            result["sha256"] = digest(kind, name)
            if kind == "encoder" and registry.ENCODERS.takes_text(name):
                load_once(kind, name).embed_text(["x"])
        result["arguments_and_paths_kept"] = (sys.argv, sys.path) == before
        if kind in KINDS:
            spec = KINDS[kind].spec(name)
            long = LONG_SAMPLES / spec.sample_rate
            # Both peaks are of equally many batches, since each one can fragment the heap further.
            result["peaks"] = [
                peak_megabytes(kind, spec, path, seconds=seconds, times=round(long / seconds))
                for seconds in (60, long)
            ]
    print(json.dumps(results))


if __name__ == "__main__":
    main()
