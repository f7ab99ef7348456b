"""Random weights of every model: made once a machine, and found by the tests of both interpreters.

They are kept under a key of what makes them and what they are made for, so that a change of
either makes new ones. Run as a program, writes them into the folder it is given.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from mirpipe.settings import PROJECT, Settings
from tests.support.skip_or_fail import lacks

MODELS_PYTHON = Settings().models_python
"""The interpreter of the model libraries; None where `make models` has not run."""

_MADE_FROM = (
    "tests/support/random_weights.py",
    "tests/models/adapters/stand_in*.py",
    "mirpipe/models/adapters/*.py",
    "mirpipe/plugins/encoders/*.py",
    "mirpipe/plugins/track_metrics/*.py",
    "mirpipe/plugins/captioners/*.py",
    "mirpipe/plugins/generators/*.py",
    "requirements/models*.txt",
)
_UNUSED_SECONDS = 7 * 24 * 3600
"""After which weights under another key are removed."""


def require_models_python() -> Path:
    """The models' interpreter; else the test is skipped, or with CI=true fails."""
    if MODELS_PYTHON is None:
        lacks("`make models` has not run")
    return MODELS_PYTHON


def folder_of_weights() -> Path:
    """The folder of every model's random weights, as REPOSITORY/FILE; not to be written to."""
    python = Path(sys.executable) if find_spec("torch") else require_models_python()
    cache = platformdirs.user_cache_path("mirpipe") / "random-weights"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / _key()
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed: one makes them, the others wait
        if not folder.exists():
            _make(python, folder)
        os.utime(folder)
    return folder


def _key() -> str:
    made_from = hashlib.sha256()
    for path in sorted(path for pattern in _MADE_FROM for path in PROJECT.glob(pattern)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        made_from.update(f"{path.relative_to(PROJECT)} {content}\n".encode())
    return made_from.hexdigest()[:16]


def _make(python: Path, folder: Path) -> None:
    for other in folder.parent.glob("*/"):
        if time.time() - other.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(other)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
    command = [python, "-m", "tests.support.random_weights", new]
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(new)
        raise RuntimeError(f"the random weights could not be made:\n{made.stderr}")
    new.rename(folder)  # appears whole or not at all


if __name__ == "__main__":
    from tests.models.adapters.stand_ins import make_all

    make_all(Path(sys.argv[1]))
