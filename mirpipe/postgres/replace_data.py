"""Puts an upgraded data folder in the place of the old one, so that a kill loses neither.

Two folders cannot be exchanged in one step everywhere. The new folder therefore gets a name of its
own first, and a process that finds no data folder completes the exchange.
"""

from pathlib import Path

from mirpipe.files.durable_write import sync_folder

_UPGRADED = "data.upgraded"


def old_data(cluster: Path, major_version: int) -> Path:
    """Return the path to which the data of this major version is moved."""
    return cluster / f"data-{major_version}"


def replace_data(cluster: Path, new: Path, *, old_version: int) -> None:
    """Rename `cluster/data` to `cluster/data-<old_version>`, and `new` to `cluster/data`.

    `new` must be complete and on disk, in the same file system, and no server may be running.
    """
    new.rename(cluster / _UPGRADED)
    sync_folder(cluster)
    (cluster / "data").rename(old_data(cluster, old_version))
    sync_folder(cluster)
    complete_replacement(cluster)


def complete_replacement(cluster: Path) -> None:
    """If `replace_data` was killed between its steps, complete it. Otherwise do nothing."""
    upgraded = cluster / _UPGRADED
    if upgraded.exists() and not (cluster / "data").exists():
        upgraded.rename(cluster / "data")
        sync_folder(cluster)


def unused_upgraded_data(cluster: Path) -> Path:
    """Return the path of upgraded data that a killed `replace_data` can have left unused.

    While `cluster/data` exists, it can be out of date.
    """
    return cluster / _UPGRADED
