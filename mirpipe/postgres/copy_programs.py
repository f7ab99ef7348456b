"""Copies the Postgres programs to a folder that the server's unprivileged account can read.

A copy is needed only if this process is root and the account cannot run the installed programs.
"""

import fcntl
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from mirpipe.postgres.installed_programs import programs_folder, wheel_version
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
        _copy_for_other_account(installed, copy, account)
    return copy / installed.relative_to(installed.parents[2])


def copy_installation(
    programs: Path, copy: Path, *, copy_file: Callable[[str, str], object] = shutil.copy2
) -> Path:
    """Copy the programs, their libraries and their data to `copy`, and return the programs' folder.

    After a kill, the folder `copy` is complete or does not exist, and a folder `….new-*` beside it
    can remain, which the next call deletes. Only one process at a time may copy into the folder
    above `copy`. All users can read the folders in `copy`. The files keep their permissions.
    """
    package = programs.parents[1]
    prefix = f"{copy.name.partition('-')[0]}.new-"
    for unfinished in copy.parent.glob(f"{prefix}*"):
        shutil.rmtree(unfinished)
    new = Path(tempfile.mkdtemp(prefix=prefix, dir=copy.parent))
    for part in ("bin", "lib", "share"):
        shutil.copytree(
            package / "pginstall" / part,
            new / package.name / "pginstall" / part,
            copy_function=copy_file,
        )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, new / libraries.name, copy_function=copy_file)
    for path in (new, *new.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    new.rename(copy)
    return copy / programs.relative_to(package.parent)


def _can_run(account: Account, programs: Path) -> bool:
    share = programs.parent / "share"
    commands: list[list[str | Path]] = [
        [programs / "postgres", "--version"],
        [programs / "psql", "--version"],
        ["/bin/sh", "-c", 'ls "$1"', "sh", share],
    ]
    return all(run_as_account(account, command).returncode == 0 for command in commands)


def _copy_for_other_account(installed: Path, copy: Path, account: Account) -> None:
    """Copy the programs to `copy` so that all users can read them. Only one process copies."""
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
        copy_installation(installed, copy, copy_file=_copy_readable)


def _copy_readable(source: str, target: str) -> None:
    shutil.copy2(source, target)
    Path(target).chmod(0o755 if Path(target).parent.name == "bin" else 0o644)
