"""Whether this interpreter and its packages are those that mirpipe was locked with."""

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from mirpipe.operations.doctor.finding import Finding, ok, problem, some, warning
from mirpipe.settings import PROJECT

PYTHON = (3, 11)
LOCK = PROJECT / "requirements" / "core.txt"
_REMEDY = "`make setup` installs what requirements/core.txt says"


def python() -> Iterator[Finding]:
    """The interpreter's version."""
    shown = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == PYTHON:
        yield ok("python", f"{shown} at {sys.executable}")
    else:
        wanted = ".".join(map(str, PYTHON))
        remedy = f"run mirpipe with Python {wanted}, whose packages are locked"
        yield problem("python", f"{shown} at {sys.executable}", remedy)


def locked(lock: Path = LOCK) -> Iterator[Finding]:
    """Packages that are missing, or of another version than the lock's."""
    if not lock.exists():
        yield ok("packages", "no lock lies beside this installation to compare with")
        return
    missing, others, count = [], [], 0
    for requirement in _requirements(lock):
        (pinned,) = requirement.specifier
        count += 1
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            missing.append(requirement.name)
            continue
        if found != pinned.version:
            others.append(f"{requirement.name} {found} in place of {pinned.version}")
    if missing:
        yield problem("packages", f"missing: {some(missing)}", _REMEDY)
    if others:
        yield warning("packages", f"not as locked: {some(others)}", _REMEDY)
    if not missing and not others:
        yield ok("packages", f"all {count} as locked")


def _requirements(lock: Path) -> Iterator[Requirement]:
    """What the lock pins for this machine."""
    for line in lock.read_text().splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.rstrip("\\ "))
            if requirement.marker is None or requirement.marker.evaluate():
                yield requirement
