"""Where a backup is written: a new local folder, or a folder in an S3 bucket.

Both are complete only at the end: the local folder gets its name, and the bucket gets the manifest.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mirpipe.db.named_locks import hold_lock
from mirpipe.errors import ConfigurationError, MirpipeError
from mirpipe.files.addresses import Address, S3Address
from mirpipe.files.durable_write import sync_file, sync_folder
from mirpipe.operations.backup.backup_manifest import is_clip, is_dump_file
from mirpipe.settings import settings
from mirpipe.storage.objects import list_objects, put


@dataclass(frozen=True)
class Destination:
    """A backup that is being written."""

    folder: Path
    """Local folder into which a file is written before `keep` is called with its name."""
    keep: Callable[[str], None]
    """Moves the file with this name to its place. The manifest is kept last."""


@contextmanager
def open_destination(place: Address) -> Iterator[Destination]:
    """Yield an empty destination that no other backup writes to.

    Raises ConfigurationError if something is at this place already, MirpipeError if another backup
    writes to it or it cannot be written, and StorageUnavailable.
    """
    if isinstance(place, S3Address):
        with _bucket_folder(place) as destination:
            yield destination
    else:
        with _partial_folder(place) as partial:
            yield Destination(partial, lambda _name: None)
            _sync(partial)
            partial.rename(place)
            sync_folder(place.parent)


@contextmanager
def _bucket_folder(place: S3Address) -> Iterator[Destination]:
    with hold_lock("backup"):
        _require_unused(place)
        settings().home.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="backup-", dir=settings().home) as folder:

            def keep(name: str) -> None:
                put(place / name, Path(folder) / name)
                (Path(folder) / name).unlink()

            yield Destination(Path(folder), keep)


def _require_unused(place: S3Address) -> None:
    """Raise ConfigurationError unless the folder has no objects, or those of a stopped backup.

    Objects of a stopped backup are overwritten. None is deleted, because it could be something
    else with such a name.
    """
    names = {each.address.key[len(place.key) :].strip("/") for each in list_objects(place)}
    has_dump = any(is_dump_file(name) for name in names)
    is_stopped_backup = has_dump and all(is_dump_file(name) or is_clip(name) for name in names)
    if names and not is_stopped_backup:
        raise ConfigurationError(f"{place} already exists: name a new folder.")


@contextmanager
def _partial_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder next to `folder` that no other backup writes to.

    If the backup fails, the folder is deleted.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} already exists: name a new folder.")
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise MirpipeError(
                f"Another backup is writing to {folder}. Wait until it has finished."
            ) from None
        try:
            _delete_contents(partial)
            yield partial
        finally:
            # A complete backup has been renamed before, so this deletes only an incomplete one.
            shutil.rmtree(partial, ignore_errors=True)
            os.close(descriptor)
    except OSError as error:
        raise MirpipeError(f"Cannot write to {folder}: {error}") from error


def _delete_contents(folder: Path) -> None:
    """Delete the files that a killed backup left."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _sync(folder: Path) -> None:
    """Flush all files of the folder to disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
        else:
            sync_file(path)
    sync_folder(folder)
