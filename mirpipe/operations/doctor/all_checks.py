"""All checks of `mirpipe doctor`, in order. A check that fails does not stop the others."""

from collections.abc import Callable, Iterable, Iterator

from mirpipe.errors import MirpipeError
from mirpipe.operations.doctor import (
    airflow,
    dashboard,
    database,
    files,
    machine,
    packages,
    plugins,
    ports,
)
from mirpipe.operations.doctor.finding import Finding, problem

CHECKS: dict[str, Callable[[], Iterable[Finding]]] = {
    "python": packages.python,
    "packages": packages.locked,
    "disk": machine.disk,
    "gpu": machine.gpu,
    "ffmpeg": machine.ffmpeg,
    "chromaprint": machine.chromaprint,
    "models": plugins.interpreter,
    "plug-in": plugins.configured,
    "named metrics": plugins.named_metrics,
    "database": database.check,
    "files": files.check,
    "ports": ports.check,
    "dashboard": dashboard.check,
    "airflow": airflow.check,
}
"""The checks by name. The name is shown if the check itself raises an error."""


def examine() -> Iterator[Finding]:
    """Yield the findings of all checks, each as soon as it is available.

    The checks start no server and change nothing.
    """
    for name, check in CHECKS.items():
        try:
            yield from check()
        except MirpipeError as error:
            yield problem(name, str(error), "")
        # A broken installation can raise any error, and the other checks may show the cause.
        except Exception as error:  # noqa: BLE001
            message = f"this check failed: {type(error).__name__}: {error}"
            yield problem(name, " ".join(message.split()), "report this line as a mirpipe bug")
