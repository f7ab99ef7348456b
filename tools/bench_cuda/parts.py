"""Runs each part in a process of its own, and stores its result or the reason of its failure."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PARTS = (
    *("clap", "muq", "music2latent", "audiobox_aesthetics"),
    *("musicgen_melody", "qwen2_audio", "decoding"),
    *("muq_mulan", "mert", "clap_630k"),
)
"""All parts, the most important ones first."""

LONGEST_PART = 180.0
"""Time after which a part on a GPU is stopped, in seconds."""
SHORTEST_PART = 20.0
"""A part is not started if less time is left, in seconds."""

Outcome = Mapping[str, Any]
"""Either `result` or `error`, with `seconds` and `setup`."""


def run_parts(
    names: Sequence[str], setup: Mapping[str, Any], folder: Path, *, seconds: float
) -> dict[str, Outcome]:
    """Run the parts that have no result for this setup, within a time limit.

    A failed part does not stop the others, and is run again the next time. Each result is stored at
    once, so an interrupted measurement can be continued. Return the outcomes of all parts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    outcomes: dict[str, Outcome] = {}
    for name in names:
        outcome = stored_outcome(name, setup, folder)
        left = end - time.monotonic()
        if "result" not in outcome and left >= SHORTEST_PART:
            print(f"{name} …", file=sys.stderr, flush=True)
            longest = LONGEST_PART if setup["device"] == "cuda" else left
            outcome = {**_run(name, setup, min(left, longest)), "setup": setup}
            _write(folder / f"{name}.json", outcome)
            reason = outcome.get("error", "done").strip().splitlines()[-1]
            print(f"{name}: {reason}, {outcome['seconds']} s", file=sys.stderr, flush=True)
        outcomes[name] = outcome
    return outcomes


def stored_outcome(name: str, setup: Mapping[str, Any], folder: Path) -> Outcome:
    """Return the stored outcome of a part, or an error if it was not measured with this setup."""
    path = folder / f"{name}.json"
    try:
        outcome: Outcome = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        outcome = {}
    if outcome.get("setup") == setup:
        return outcome
    return {"error": "not measured yet", "seconds": 0}


def _run(name: str, setup: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    started = time.monotonic()
    with TemporaryDirectory(prefix="mirpipe-weights-") as weights:
        try:
            process = subprocess.run(
                [*_command(name), json.dumps(setup), weights],
                env=_environment(weights),
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"error": f"stopped after {seconds:.0f} s", "seconds": round(seconds)}
    took = round(time.monotonic() - started)
    if process.returncode:
        return {"error": _reason(process), "seconds": took}
    return {"result": json.loads(process.stdout.splitlines()[-1]), "seconds": took}


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "tools.bench_cuda.part", name]


def _environment(weights: str) -> dict[str, str]:
    # Nothing of the user's mirpipe is read or written, and nothing is downloaded.
    return os.environ | {"MIRPIPE_HOME": weights, "HF_HUB_OFFLINE": "1", "HF_HOME": weights}


def _reason(process: subprocess.CompletedProcess[str]) -> str:
    """Return the end of what the process printed about its failure."""
    lines = process.stderr.strip().splitlines() or ["no message"]
    return f"exit code {process.returncode}: " + "\n".join(lines[-8:])


def _write(path: Path, outcome: Outcome) -> None:
    """Write the file completely or not at all."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(outcome, indent=2))
    new.replace(path)
