"""Whether every wanted plug-in can run: its module, its weights, its libraries."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

from mirpipe import registry
from mirpipe.errors import Unavailable, result_or_error
from mirpipe.models import interpreters
from mirpipe.operations.doctor.finding import Finding, ok, problem, warning
from mirpipe.operations.doctor.machine import cards
from mirpipe.settings import settings

_ASK = """
import json, sys
from importlib.metadata import version
print(json.dumps({name: version(name) for name in ("torch", "mirpipe")}
    | {"python": ".".join(map(str, sys.version_info[:2]))}))
"""


def interpreter() -> Iterator[Finding]:
    """The interpreter of the model libraries; not there is well, where nothing wanted needs it."""
    python = settings().models_python
    if python is None:
        yield ok("models", "no interpreter of the model libraries; `make models` makes one")
        return
    try:
        asked = subprocess.run(
            [str(python), "-P", "-c", _ASK], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        message = f"{python} cannot be used: {said.strip().splitlines()[-1]}"
        yield problem("models", message, "`make models`, or set MIRPIPE_MODELS_PYTHON")
        return
    found = json.loads(asked.stdout)
    if found["torch"].endswith("+cpu") and settings().device != "cpu" and cards():
        said = f"torch {found['torch']} cannot use the graphics card"
        yield warning("models", said, "`make models TORCH=cuda`, or set MIRPIPE_DEVICE=cpu")
        return
    yield ok("models", f"Python {found['python']} with torch {found['torch']} at {python}")


def wanted() -> Iterator[Finding]:
    """Every plug-in that the settings name: it runs, is random, or what it lacks."""
    chosen = settings()
    kinds: tuple[tuple[registry.Plugins[Any, Any], Sequence[str]], ...] = (
        (registry.ENCODERS, chosen.encoders),
        (registry.TRACK_METRICS, chosen.metrics),
        (registry.CAPTIONERS, [chosen.captioner] if chosen.captioner else []),
        (registry.GENERATORS, chosen.generators),
    )
    for kind, names in kinds:
        for name in names:
            yield _plugin(kind, name)


def _plugin(kind: registry.Plugins[Any, Any], name: str) -> Finding:
    check = f"{kind.kind} {name}"
    python = result_or_error(kind.interpreter, name)
    if isinstance(python, Unavailable):
        message, _, remedy = str(python).rpartition(": ")
        return problem(check, message or str(python), remedy if message else "")
    if isinstance(python, Exception):
        return problem(check, f"{python}", "mend or leave out the plug-in: `mirpipe models`")
    if "(random)" in kind.spec(name).checkpoint:
        remedy = f"unset MIRPIPE_STAND_INS and run `mirpipe models pull {name}`"
        return warning(check, "random weights: its numbers say nothing about music", remedy)
    where = "" if python == interpreters.HERE else f", in {python}"
    return ok(check, f"can run{where}")
