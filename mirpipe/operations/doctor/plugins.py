"""Plug-in checks: whether each configured plug-in can run, with its weights and libraries."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

from mirpipe import registry
from mirpipe.errors import Unavailable, result_or_error
from mirpipe.metric_settings import unknown_metrics
from mirpipe.models import interpreters, weight_verification
from mirpipe.operations.doctor.finding import Finding, ok, problem, warning
from mirpipe.operations.doctor.machine import cards
from mirpipe.settings import settings

_PRINT_VERSIONS = """
import json, sys
from importlib.metadata import version
print(json.dumps({name: version(name) for name in ("torch", "mirpipe")}
    | {"python": ".".join(map(str, sys.version_info[:2]))}))
"""


def interpreter() -> Iterator[Finding]:
    """Check the interpreter that has the model libraries.

    A missing interpreter is no problem: the check of each plug-in reports what that plug-in needs.
    """
    python = settings().models_python
    if python is None:
        yield ok(
            "models",
            "no interpreter with the model libraries; `mirpipe models install` creates one",
        )
        return
    try:
        process = subprocess.run(
            [str(python), "-P", "-c", _PRINT_VERSIONS],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", "") or str(error)
        message = f"{python} cannot be used: {output.strip().splitlines()[-1]}"
        yield problem(
            "models", message, "run `mirpipe models install`, or set MIRPIPE_MODELS_PYTHON"
        )
        return
    versions = json.loads(process.stdout)
    if versions["torch"].endswith("+cpu") and settings().device != "cpu" and cards():
        message = f"torch {versions['torch']} cannot use the GPU"
        yield warning(
            "models",
            message,
            "run `mirpipe models install --torch cuda`, or set MIRPIPE_DEVICE=cpu",
        )
        return
    yield ok("models", f"Python {versions['python']} with torch {versions['torch']} at {python}")


def configured() -> Iterator[Finding]:
    """Check whether each configured plug-in can run, and whether its weights are random."""
    chosen = settings()
    kinds: tuple[tuple[registry.Plugins[Any, Any], Sequence[str]], ...] = (
        (registry.ENCODERS, chosen.encoders),
        (registry.TRACK_METRICS, chosen.metrics),
        (registry.CAPTIONERS, [chosen.captioner] if chosen.captioner else []),
        (registry.GENERATORS, chosen.generators),
    )
    for kind, names in kinds:
        for name in names:
            yield _check_plugin(kind, name)


def named_metrics() -> Iterator[Finding]:
    """Check whether the settings name only metrics that exist."""
    for setting, message in unknown_metrics():
        yield problem(setting, message, f"correct or unset {setting}")


def _check_plugin(kind: registry.Plugins[Any, Any], name: str) -> Finding:
    check = f"{kind.kind} {name}"
    python = result_or_error(kind.interpreter, name)
    if isinstance(python, Unavailable):
        return problem(check, python.problem, python.remedy)
    if isinstance(python, Exception):
        remedy = "correct the plug-in, or remove it from the settings; see `mirpipe models`"
        return problem(check, f"{python}", remedy)
    if kind.spec(name).is_random:
        remedy = f"unset MIRPIPE_STAND_INS and run `mirpipe models pull {name}`"
        return warning(check, "random weights: its results are meaningless", remedy)
    where = "" if python == interpreters.CURRENT_PYTHON else f", in {python}"
    needs = kind.needs(name)
    date = weight_verification.trusted_on((*needs.weights, *needs.text_weights))
    weights = "" if date is None else f", with weights trusted on first use on {date}"
    return ok(check, f"can run{where}{weights}")
