"""Creates a backup: a snapshot of the database, and the audio of its clips."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from mirpipe.db import health
from mirpipe.db.dump import dump, snapshot
from mirpipe.db.migrate import current, head
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.errors import ConfigurationError, DatabaseError, MirpipeError
from mirpipe.files.addresses import Address
from mirpipe.files.durable_write import sync_file, sync_folder
from mirpipe.files.sha256 import sha256
from mirpipe.operations.backup.backup_manifest import (
    CLIPS,
    DUMP,
    Manifest,
    hash_of_digest_queries,
    write_manifest,
)
from mirpipe.records import Progress
from mirpipe.storage.local_copies import local_copy


@dataclass(frozen=True)
class Backup:
    """A complete backup in `folder`."""

    folder: Path
    digest: str
    """Digest of the content. Empty if the schema is older than this version of mirpipe."""
    clips: int
    missing_clips: list[str]
    """Names of the clips in the database whose audio files were missing."""
    bytes: int


def back_up(folder: Path, *, progress: Progress = lambda _done, _total: None) -> Backup:
    """Write the database and all clips to the new `folder`, even while the pipeline is running.

    The files are written to a partial folder next to `folder`, which is renamed when everything is
    on disk. Raises ConfigurationError if the folder is not empty, and DatabaseError if the database
    contains no mirpipe tables.
    """
    folder = folder.expanduser().absolute()
    revision = current()
    if revision is None:
        raise DatabaseError(
            "There is nothing to back up: the database contains no mirpipe tables. Check "
            "MIRPIPE_HOME or MIRPIPE_DATABASE_URL."
        )
    with _partial_folder(folder) as partial:
        with snapshot() as (connection, snapshot_name):
            # The queries of the digest belong to the newest schema.
            digest = combined(digests(connection)) if revision == head() else ""
            clips = sorted(set(health.recorded_files(connection, "generated")), key=os.fsencode)
            dump(partial / DUMP, moment=snapshot_name)
        files = {DUMP: sha256(partial / DUMP).hex()}
        missing = []
        for done, clip in enumerate(clips, start=1):
            place = f"{CLIPS}/{clip.name[:2]}/{clip.name}"
            try:
                files[place] = _copy(clip, partial / place)
            except FileNotFoundError:
                missing.append(clip.name)
            progress(done, len(clips))
        manifest = Manifest(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            mirpipe=version("mirpipe"),
            schema_revision=revision,
            digest=digest,
            digest_of=hash_of_digest_queries(),
            files=files,
            missing_clips=missing,
        )
        write_manifest(partial, manifest)
        size = _sync(partial)
        partial.rename(folder)
        sync_folder(folder.parent)
    return Backup(folder, digest, len(files) - 1, missing, size)


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


def _copy(source: Address, place: Path) -> str:
    """Copy a file with its modification time and return the SHA-256 of the copy, in hex."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with local_copy(source) as path:
        shutil.copy2(path, place)
    return sha256(place).hex()


def _sync(folder: Path) -> int:
    """Flush all files of the folder to disk and return their total size in bytes."""
    size = 0
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
        else:
            sync_file(path)
            size += path.stat().st_size
    sync_folder(folder)
    return size
