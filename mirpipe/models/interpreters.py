"""Finds a Python interpreter that has a plug-in's libraries.

There are two candidates: the current interpreter, and the one that MIRPIPE_MODELS_PYTHON names.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from mirpipe.errors import Unavailable
from mirpipe.settings import settings

CURRENT_PYTHON = Path(sys.executable)
"""Path of the interpreter that runs this process."""

_PRINT_MISSING_LIBRARIES = """
import importlib.util, json, sys
print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]))
"""


def current_python_has(libraries: Sequence[str]) -> bool:
    """Return whether the current interpreter has all these libraries, without importing them."""
    return all(find_spec(library) for library in libraries)


def find_python(libraries: Sequence[str], *, plugin: str) -> Path:
    """Return an interpreter that has all these libraries.

    The error message uses `plugin`, the plug-in's name. Raises Unavailable (`library_missing`) if
    no interpreter has the libraries.
    """
    if current_python_has(libraries):
        return CURRENT_PYTHON
    models_python = settings().models_python
    if models_python is None:
        missing = tuple(libraries)
    else:
        missing = _missing_libraries(models_python, tuple(libraries))
    if models_python is None or missing:
        raise Unavailable(
            "library_missing",
            f"{plugin} needs libraries that are not installed: {', '.join(missing)}",
            remedy="run `mirpipe models install`, or let MIRPIPE_MODELS_PYTHON name a Python that "
            "has them",
        )
    return models_python


@cache
def _missing_libraries(python: Path, libraries: tuple[str, ...]) -> tuple[str, ...]:
    """Return the libraries that `python` lacks. Raises Unavailable if `python` cannot be run."""
    command = [str(python), "-P", "-c", _PRINT_MISSING_LIBRARIES, *libraries]
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise cannot_be_run(python, error) from error
    return tuple(json.loads(process.stdout))


def cannot_be_run(python: Path, error: Exception) -> Unavailable:
    """Return the error that says why the interpreter cannot be run, and the remedy."""
    return Unavailable(
        "library_missing",
        f"The interpreter {python} cannot be run ({error})",
        remedy="run `mirpipe models install`, or let MIRPIPE_MODELS_PYTHON name another",
    )
