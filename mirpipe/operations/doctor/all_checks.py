"""All checks, one after the other: what is examined, in which order; none stops the rest."""

from collections.abc import Callable, Iterable, Iterator

from mirpipe.errors import MirpipeError
from mirpipe.operations.doctor import airflow, database, files, machine, packages, plugins
from mirpipe.operations.doctor.finding import Finding, problem

CHECKS: dict[str, Callable[[], Iterable[Finding]]] = {
    "python": packages.python,
    "packages": packages.locked,
    "disk": machine.disk,
    "gpu": machine.gpu,
    "models": plugins.interpreter,
    "plug-in": plugins.wanted,
    "database": database.check,
    "files": files.check,
    "ports": airflow.ports,
    "airflow": airflow.check,
}
"""Check by the name under which it reports what it did not foresee."""


def examine() -> Iterator[Finding]:
    """What every check found, as it is found; starts no server and mends nothing."""
    for name, check in CHECKS.items():
        try:
            yield from check()
        except MirpipeError as error:
            yield problem(name, str(error), "")
        except Exception as error:  # noqa: BLE001 - what ails an installation may be anything
            said = f"could not be checked: {type(error).__name__}: {error}"
            yield problem(name, " ".join(said.split()), "report this, with the line itself")
