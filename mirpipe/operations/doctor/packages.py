"""Checks that compare the Python version and the installed packages with the lock file."""

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from mirpipe.operations.doctor.finding import Finding, ok, problem, shorten, warning
from mirpipe.settings import IS_CHECKOUT, PROJECT

PYTHON = (3, 11)
LOCK = PROJECT / "requirements" / "core.txt"
_REMEDY = (
    "`make setup` installs the versions of requirements/core.txt"
    if IS_CHECKOUT
    else "install mirpipe again, in an environment of its own"
)


def python() -> Iterator[Finding]:
    """Check the version of the Python interpreter."""
    current = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == PYTHON:
        yield ok("python", f"{current} at {sys.executable}")
    else:
        required = ".".join(map(str, PYTHON))
        remedy = f"run mirpipe with Python {required}: its packages are locked for that version"
        yield problem("python", f"{current} at {sys.executable}", remedy)


def locked(lock: Path = LOCK) -> Iterator[Finding]:
    """Check for packages that are missing or whose version differs from the lock file."""
    if not lock.exists():
        yield ok("packages", "not checked: this installation has no lock file")
        return
    missing, different, count = [], [], 0
    for requirement in _requirements(lock):
        (pinned,) = requirement.specifier
        count += 1
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            missing.append(requirement.name)
            continue
        if installed != pinned.version:
            different.append(f"{requirement.name} {installed} instead of {pinned.version}")
    if missing:
        yield problem("packages", f"missing: {shorten(missing)}", _REMEDY)
    if different:
        yield warning("packages", f"not the locked versions: {shorten(different)}", _REMEDY)
    if not missing and not different:
        yield ok("packages", f"all {count} have the locked versions")


def _requirements(lock: Path) -> Iterator[Requirement]:
    """Yield those requirements in the lock file that apply to this machine."""
    for line in lock.read_text().splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.rstrip("\\ "))
            if requirement.marker is None or requirement.marker.evaluate():
                yield requirement
