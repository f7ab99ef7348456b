"""Upgrades the data of a stopped server to the installed major version, by dump and restore.

The new data is written to a folder of its own, and compared with the old data before it takes its
place. A process that is killed at any time leaves one complete data folder, and the next call
starts again.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mirpipe.errors import DatabaseError
from mirpipe.postgres.command_lock import command_lock
from mirpipe.postgres.copy_cluster import copy_cluster
from mirpipe.postgres.create_cluster import SUPERUSER, major_version
from mirpipe.postgres.installed_programs import wheel_version
from mirpipe.postgres.kept_programs import kept_programs
from mirpipe.postgres.passwords import read_passwords
from mirpipe.postgres.replace_data import complete_replacement, old_data, replace_data
from mirpipe.postgres.server_files import ServerFiles
from mirpipe.postgres.server_liveness import is_server_lock_held, running_server
from mirpipe.postgres.upgrade_folder import UpgradeFolder

_SPARE_BYTES = 1 << 30
"""Space for the write-ahead log and for sorting while indexes are built."""


@dataclass(frozen=True)
class Upgrade:
    """What an upgrade has done."""

    before: int
    """Major version of the old data."""
    after: int
    tables: int
    """Number of tables whose rows were compared."""
    rows: int
    old_data: Path
    """Folder with the old data, which nothing uses any more."""
    left_out: list[str]
    """Databases that accept no connections, and settings that the new version does not have."""


def upgrade_cluster(
    files: ServerFiles,
    *,
    timeout: float,
    show: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> Upgrade | None:
    """Upgrade the cluster, or return None if it already has the installed major version.

    `show` prints a finished step. `progress` receives the number of copied tables and of all
    tables. `timeout` applies to each start and stop of a server, in seconds. Raises DatabaseError,
    and keeps the old data in place, if a server of this folder is running, if there is no data, if
    the old programs or disk space are missing, or if the copy fails or differs.
    """
    with command_lock(files):
        cluster = files.cluster
        complete_replacement(cluster)
        folder = UpgradeFolder(files)
        server = running_server(files.data)
        if is_server_lock_held(files.server_lock) or (server and not folder.is_used_by(server)):
            raise DatabaseError("The embedded Postgres is running. Run `mirpipe db down` first.")
        folder.remove(timeout=timeout)
        before, after = _versions(files.data)
        if before == after:
            return None
        place = old_data(cluster, before)
        if place.exists():
            raise DatabaseError(
                f"The old data would be moved to {place}, which already exists. Remove or rename "
                "it, and run the command again."
            )
        old_programs = kept_programs(cluster, before)
        _require_space(files.data)
        try:
            folder.create()
            contents, left_out = copy_cluster(
                folder.old,
                folder.new,
                old_programs=old_programs,
                password=read_passwords(files.passwords)[SUPERUSER],
                timeout=timeout,
                show=show,
                progress=progress,
            )
            folder.old.data.unlink()
            replace_data(cluster, folder.new.data, old_version=before)
        finally:
            folder.remove(timeout=timeout)
    rows = [rows for rows, _ in contents.values() if rows is not None]
    return Upgrade(before, after, len(rows), sum(rows), place, left_out)


def _versions(data: Path) -> tuple[int, int]:
    """Return the major versions of the data and of the installed programs.

    Raises DatabaseError if there is no data, or if it is newer than the programs.
    """
    if not data.exists():
        raise DatabaseError(f"There is no data in {data.parent}. Start with `mirpipe db up`.")
    before, after = major_version(data), int(wheel_version().split(".")[0])
    if before > after:
        raise DatabaseError(
            f"The data in {data} was created by Postgres {before}, which is newer than the "
            f"installed Postgres {after}. Update mirpipe."
        )
    return before, after


def _require_space(data: Path) -> None:
    """Raise DatabaseError if the disk has no space for a second copy of the data."""
    files = (Path(folder) / name for folder, _, names in os.walk(data) for name in names)
    needed = sum(file.lstat().st_blocks * 512 for file in files) + _SPARE_BYTES
    free = shutil.disk_usage(data.parent).free
    if free < needed:
        raise DatabaseError(
            f"The upgrade writes a second copy of the data and needs {needed / 1e9:.1f} GB in "
            f"{data.parent}, but {free / 1e9:.1f} GB are free. Free some space, and run the "
            "command again."
        )
