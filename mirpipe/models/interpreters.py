"""Which Python interpreter has a model's libraries: the running one or that of the models."""

import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from mirpipe.errors import Unavailable
from mirpipe.settings import settings

HERE = Path(sys.executable)

_ASK = """
import importlib.util, json, sys
print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]))
"""


def is_here(libraries: Sequence[str]) -> bool:
    """Whether the running interpreter has them all; imports none."""
    return all(find_spec(library) for library in libraries)


def python_with(libraries: Sequence[str]) -> Path:
    """The interpreter that has these libraries. Raises Unavailable where none has."""
    if is_here(libraries):
        return HERE
    models = settings().models_python
    missing = tuple(libraries) if models is None else _missing(models, tuple(libraries))
    if models is None or missing:
        raise Unavailable(
            "library_missing",
            f"{', '.join(missing)} is not installed: run `make models`, or name an interpreter "
            "that has it in MIRPIPE_MODELS_PYTHON",
        )
    return models


@cache
def _missing(python: Path, libraries: tuple[str, ...]) -> tuple[str, ...]:
    command = [str(python), "-P", "-c", _ASK, *libraries]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(
            "library_missing", f"MIRPIPE_MODELS_PYTHON={python} cannot be run: {error}"
        ) from error
    return tuple(json.loads(said.stdout))
