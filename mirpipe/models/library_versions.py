"""Versions of the packages that something was made with."""

from collections.abc import Sequence
from importlib.metadata import packages_distributions, version

ALWAYS = ("mirpipe", "numpy", "soxr", "soundfile")


def of(libraries: Sequence[str]) -> dict[str, str]:
    """By distribution, the versions of what is always used and of these modules."""
    packages = packages_distributions() if libraries else {}
    of_libraries = [name for library in libraries for name in packages.get(library, ())]
    return {name: version(name) for name in (*ALWAYS, *of_libraries)}
