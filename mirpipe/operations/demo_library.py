"""Finds the demo library on this machine."""

from importlib.util import find_spec
from pathlib import Path

from mirpipe.errors import ConfigurationError
from mirpipe.settings import IS_CHECKOUT, PROJECT


def demo_library() -> Path:
    """Return the folder of the demo library. Raises ConfigurationError if it is not installed."""
    if IS_CHECKOUT:
        return PROJECT / "demo"
    package = find_spec("mirpipe_demo")
    if package is None or not package.submodule_search_locations:
        raise ConfigurationError(
            "The demo library is not installed. Install the package mirpipe-demo beside mirpipe."
        )
    return Path(package.submodule_search_locations[0])
