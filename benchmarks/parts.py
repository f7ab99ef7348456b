"""Runs the parts of `make bench`, each in its own process, and stores the results in var/bench.

If it is run as a program with a module name, it prints the result of the module's `run()` as JSON.
"""

import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from benchmarks import model_table
from mirpipe.settings import PROJECT, settings

RESULTS_FOLDER = PROJECT / "var" / "bench"
"""Folder with one JSON file per measured part."""
PIPELINE = (
    "ingest",
    "embed",
    "stream",
    "exact_search",
    "retrieve",
    "pairs",
    "uncertainty",
    "rankings",
    "search",
    "pages",
)
"""Modules in this package whose `run()` returns rows of name, value and unit."""
HISTORY = "long_history"
"""Part whose `run()` returns the figures of `benchmarks.long_history`."""
MILLION = "million"
"""Part that takes hours, so it is measured only on request."""
GROWTH = "growth"
"""Part that takes half an hour, so it is measured only on request. It writes docs/scale.md."""
BROWSER = "browser"
"""Part that needs Chromium and many minutes, so it is measured only on request."""
MODELS = (*model_table.MODELS, "arithmetic")
"""Parts that are measured in the interpreter of the model libraries."""
LONG = (HISTORY, MILLION, GROWTH, BROWSER)
"""Parts that print their progress."""
SHOWN_LINES = 8
"""Number of lines that are shown of an error message."""


@dataclass(frozen=True)
class Outcome:
    """The result of a part, or the error that occurred."""

    result: Any
    """Rows of a pipeline module, or figures by model name. None if there is no result."""
    seconds: float = 0.0
    """Duration of the measurement, in seconds."""
    error: str = ""
    """Reason why there is no result. Empty if there is a result."""


def measure(part: str) -> Outcome:
    """Measure the part and store its result. An earlier result is deleted first."""
    _path(part).unlink(missing_ok=True)
    python, commands = _commands(part)
    if python is None:
        return Outcome(None, error="needs the model libraries: run `make models`")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    result: Any = None
    started = time.monotonic()
    for command in commands:
        with TemporaryFile("w+") as printed:
            process = subprocess.Popen(
                [python, "-m", *command],
                env=environment,
                cwd=PROJECT,
                stdout=printed,
                stderr=subprocess.PIPE,
                text=True,
            )
            last_lines = deque(_shown_lines(process, part), maxlen=SHOWN_LINES)
            if process.wait():
                lines = "".join(last_lines).rstrip()
                return Outcome(None, error=f"failed with exit code {process.returncode}:\n{lines}")
            printed.seek(0)
            output = json.loads(printed.read().splitlines()[-1])
        result = {**result, **output} if result else output
    seconds = time.monotonic() - started
    RESULTS_FOLDER.mkdir(parents=True, exist_ok=True)
    _path(part).write_text(json.dumps({"result": result, "seconds": seconds}))
    return Outcome(result, seconds)


def _shown_lines(process: subprocess.Popen[str], part: str) -> Iterator[str]:
    """Yield the lines of the process's error output. Show them while a long part is measured."""
    assert process.stderr is not None
    for line in process.stderr:
        if part in LONG:
            print(line, end="", file=sys.stderr, flush=True)
        yield line


def stored_outcome(part: str) -> Outcome:
    """Return the stored result of the part's last measurement."""
    path = _path(part)
    if not path.exists():
        return Outcome(None, error="not measured")
    return Outcome(**json.loads(path.read_text()))


def _path(part: str) -> Path:
    return RESULTS_FOLDER / f"{part}.json"


def _commands(part: str) -> tuple[str | Path | None, list[list[str]]]:
    """Return the interpreter, or None if it is not installed, and the command lines to run with it.

    The outputs of all commands together are the part's result.
    """
    if part in (*PIPELINE, HISTORY, MILLION, GROWTH, BROWSER):
        return sys.executable, [["benchmarks.parts", part]]
    arguments = [[part]] if part == "arithmetic" else [[part, "speed"], [part, "memory"]]
    return settings().models_python, [["benchmarks.models", *each] for each in arguments]


def results_of_models(outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, float]]:
    """Return the figures of all measured models, by model name."""
    return {part: outcomes[part].result for part in model_table.MODELS if outcomes[part].result}


if __name__ == "__main__":
    print(json.dumps(import_module(f"benchmarks.{sys.argv[1]}").run()))
