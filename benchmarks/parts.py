"""The parts of `make bench`: each is a process of its own, and what it found is kept in var/bench.

Run as a program with the name of a module, prints what its `run()` returns as JSON.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.model_table import GOALS
from mirpipe.settings import PROJECT, settings

KEPT = PROJECT / "var" / "bench"
PIPELINE = ("embed", "stream", "retrieve", "pairs", "uncertainty", "rankings", "pages")
"""Modules of this package whose `run()` returns rows of name, value and unit."""
MODELS = (*GOALS, "arithmetic")
"""Measured in the models' interpreter."""
SHOWN_LINES = 8
"""Of what a part that failed said last."""


@dataclass(frozen=True)
class Outcome:
    """What became of a part."""

    found: Any
    """Rows of a module of the pipeline, or figures of a model by name; None where there is none."""
    seconds: float = 0.0
    complaint: str = ""


def measure(part: str) -> Outcome:
    """Runs the part anew and keeps what it found."""
    _path(part).unlink(missing_ok=True)
    python, commands = _commands(part)
    if python is None:
        return Outcome(None, complaint="needs what `make models` makes")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    found: Any = None
    started = time.monotonic()
    for command in commands:
        ended = subprocess.run(
            [python, "-m", *command],
            env=environment,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            said = "\n".join(ended.stderr.splitlines()[-SHOWN_LINES:])
            return Outcome(None, complaint=f"ended with exit code {ended.returncode}:\n{said}")
        said = json.loads(ended.stdout.splitlines()[-1])
        found = {**found, **said} if found else said
    seconds = time.monotonic() - started
    KEPT.mkdir(parents=True, exist_ok=True)
    _path(part).write_text(json.dumps({"found": found, "seconds": seconds}))
    return Outcome(found, seconds)


def kept(part: str) -> Outcome:
    """What the part found when it was last measured here."""
    path = _path(part)
    if not path.exists():
        return Outcome(None, complaint="not measured")
    return Outcome(**json.loads(path.read_text()))


def _path(part: str) -> Path:
    return KEPT / f"{part}.json"


def _commands(part: str) -> tuple[str | Path | None, list[list[str]]]:
    """The interpreter, or None where it is not here, and what it runs; what is said adds up."""
    if part in PIPELINE:
        return sys.executable, [["benchmarks.parts", part]]
    what = [[part]] if part == "arithmetic" else [[part, "speed"], [part, "memory"]]
    return settings().models_python, [["benchmarks.models", *one] for one in what]


def figures(outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, float]]:
    """By model, what was found of those that were measured."""
    return {part: outcomes[part].found for part in GOALS if outcomes[part].found}


if __name__ == "__main__":
    print(json.dumps(import_module(f"benchmarks.{sys.argv[1]}").run()))
