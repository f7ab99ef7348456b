"""Creates random weights for all models, and caches them for tests in both interpreters.

The weights are cached in a subfolder of the user's cache folder. The folder name is a hash over the
code that creates the weights and the code that uses them, so new weights are created when this code
changes. If this module is run as a program, it writes the weights to the folder in its argument.
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
from tests.support.skip_or_fail import skip_or_fail

MODELS_PYTHON = Settings().models_python
"""The interpreter of the model libraries, or None if `make models` has not been run."""

_HASHED_FILES = (
    "tests/support/random_weights.py",
    "tests/models/adapters/random_*.py",
    "tests/models/adapters/byte_vocabulary.py",
    "mirpipe/models/adapters/*.py",
    "mirpipe/plugins/encoders/*.py",
    "mirpipe/plugins/track_metrics/*.py",
    "mirpipe/plugins/captioners/*.py",
    "mirpipe/plugins/generators/*.py",
    "requirements/models*.txt",
)
_UNUSED_SECONDS = 7 * 24 * 3600
"""Age, in seconds, at which weights for older code are deleted."""


def require_models_python() -> Path:
    """Return the model libraries' interpreter. If it is missing, skip the test or fail in CI."""
    if MODELS_PYTHON is None:
        skip_or_fail("`make models` has not run")
    return MODELS_PYTHON


def folder_of_weights() -> Path:
    """Return the folder with the random weights of all models, as REPOSITORY/FILE.

    Tests must not write into this folder.
    """
    python = Path(sys.executable) if find_spec("torch") else require_models_python()
    cache = platformdirs.user_cache_path("mirpipe") / "random-weights"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / _key()
    with (cache / "lock").open("w") as lock:
        # One process creates the weights. Other processes wait here until the lock is closed.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _create(python, folder)
        os.utime(folder)
    return folder


def _key() -> str:
    """Return a hash over the files that determine the weights, as 16 hex digits."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _HASHED_FILES for path in PROJECT.glob(pattern)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(PROJECT)} {content}\n".encode())
    return digest.hexdigest()[:16]


def _create(python: Path, folder: Path) -> None:
    """Create the weights in `folder`, and delete older weights that are no longer used."""
    for older in folder.parent.glob("*/"):
        if time.time() - older.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(older)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
    command = [python, "-m", "tests.support.random_weights", new]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if process.returncode:
        shutil.rmtree(new)
        raise RuntimeError(f"Cannot create the random weights:\n{process.stderr}")
    new.rename(folder)  # The folder is complete or does not exist.


if __name__ == "__main__":
    from tests.models.adapters.random_weights_of_all_models import write_all

    write_all(Path(sys.argv[1]))
