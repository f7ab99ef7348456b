"""Looks up the versions of the packages that a result was computed with."""

from collections.abc import Sequence
from importlib.metadata import packages_distributions, version

ALWAYS = ("mirpipe", "numpy", "soxr", "soundfile")
"""Packages that every result is computed with."""


def installed_versions(libraries: Sequence[str]) -> dict[str, str]:
    """Return the versions of the packages in ALWAYS and of those that provide these libraries.

    `libraries` are names of importable modules. The result's keys are names of installed packages.
    """
    packages = packages_distributions() if libraries else {}
    of_libraries = [name for library in libraries for name in packages.get(library, ())]
    return {name: version(name) for name in (*ALWAYS, *of_libraries)}
