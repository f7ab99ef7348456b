"""Run as a process without a network: what every plug-in of this interpreter does there.

Takes a file of ten minutes. One process for all, since loading libraries costs the most.
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
    belong_here,
    different,
    loaded,
    rows,
)

EVERYTHING = [(kind.kind, name) for kind in registry.KINDS for name in belong_here(kind)]
LONG_SAMPLES = 10 * 60 * 16_000
"""Ten minutes at 16 kHz, or as many samples at a higher rate: a copy of them takes 38 MB."""

_FORGET_THE_PEAK = "5"


def digest(kind: str, name: str) -> str:
    """The SHA-256 of what the plug-in makes of different music, the same wherever it is asked."""
    return hashlib.sha256(b"\0".join(made(kind, name))).hexdigest()


def made(kind: str, name: str) -> list[bytes]:
    """What it makes of different music."""
    if kind == "captioner":
        heard = test_captioners.different(registry.CAPTIONERS.spec(name))
        return [said.encode() for said in test_captioners.loaded(name).caption(heard)]
    if kind == "generator":
        requests = test_generators.different(registry.GENERATORS.spec(name))
        return [segment.tobytes() for segment in test_generators.loaded(name).generate(requests)]
    return [row.tobytes() for row in rows(kind, name, different(KINDS[kind].spec(name)))]


def peak_megabytes(kind: str, spec: Spec, path: Path, *, seconds: float) -> float:
    """Of this process while the plug-in makes rows of the file's beginning."""
    Path("/proc/self/clear_refs").write_text(_FORGET_THE_PEAK)
    request = audio.WindowRequest(spec.sample_rate, spec.window_samples)
    count = round(seconds * spec.sample_rate / spec.window_samples)
    segments = (segment for _, segment in itertools.islice(audio.windows(path, [request]), count))
    while call := list(itertools.islice(segments, 6)):
        rows(kind, spec.name, call)
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def overheard(said: dict[str, Any]) -> Iterator[None]:
    """Puts under `stdout` and `stderr` what is printed meanwhile, by libraries in C too."""
    descriptors = {"stdout": 1, "stderr": 2}
    kept = {name: os.dup(number) for name, number in descriptors.items()}
    with TemporaryFile() as out, TemporaryFile() as err:
        files = {"stdout": out, "stderr": err}
        for name, number in descriptors.items():
            os.dup2(files[name].fileno(), number)
        try:
            yield
        finally:
            for name, number in descriptors.items():
                getattr(sys, name).flush()
                os.dup2(kept[name], number)
                os.close(kept[name])
                files[name].seek(0)
                said[name] = files[name].read().decode()


def refuse(*_: object) -> NoReturn:
    """In place of what opens connections."""
    raise AssertionError("it went to the network")


def main() -> None:
    """Prints, by plug-in, what `tests.plugins.contract.conftest.Elsewhere` says."""
    path = Path(sys.argv[1])
    socket.socket.connect = socket.getaddrinfo = refuse  # type: ignore[method-assign,assignment]
    every = {}
    for kind, name in EVERYTHING:
        said = every[name] = {}
        before = list(sys.argv), list(sys.path)
        with overheard(said):
            said["sha256"] = digest(kind, name)
            if kind == "encoder" and registry.ENCODERS.takes_text(name):
                loaded(kind, name).embed_text(["x"])
        said["arguments_and_paths_kept"] = (sys.argv, sys.path) == before
        if kind in KINDS:
            spec = KINDS[kind].spec(name)
            lengths = (60, LONG_SAMPLES / spec.sample_rate)
            said["peaks"] = [peak_megabytes(kind, spec, path, seconds=one) for one in lengths]
    print(json.dumps(every))


if __name__ == "__main__":
    main()
