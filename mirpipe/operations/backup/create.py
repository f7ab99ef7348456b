"""Backup: the database as of one moment and the audio that it knows of, whole or not there."""

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
from mirpipe.db.migrate import current
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.errors import ConfigurationError, DatabaseError, MirpipeError
from mirpipe.files.durable_write import sync_file, sync_folder
from mirpipe.files.sha256 import sha256
from mirpipe.operations.backup import backup_manifest
from mirpipe.operations.backup.backup_manifest import CLIPS, DUMP, Contents
from mirpipe.records import Progress


@dataclass(frozen=True)
class Made:
    """A backup that lies in `folder`."""

    folder: Path
    digest: str
    clips: int
    missing_clips: list[str]
    """Names of clips that the database knows and that were gone already."""
    bytes: int


def back_up(folder: Path, *, progress: Progress = lambda _done, _total: None) -> Made:
    """Writes database and generated audio to the new `folder`, while the pipeline goes on.

    All is written beside it and takes its name when it is whole and on disk. Raises
    ConfigurationError where the folder holds anything, DatabaseError without a schema to back up.
    """
    folder = folder.expanduser().absolute()
    revision = current()
    if revision is None:
        raise DatabaseError("there is nothing to back up: the database has no tables of mirpipe")
    with _partial(folder) as partial:
        with snapshot() as (connection, moment):
            digest = combined(digests(connection))
            clips = sorted(set(health.recorded_files(connection, "generated")))
            dump(partial / DUMP, moment=moment)
        files = {DUMP: sha256(partial / DUMP).hex()}
        missing = []
        for done, clip in enumerate(clips, start=1):
            place = f"{CLIPS}/{clip.name[:2]}/{clip.name}"
            try:
                files[place] = _copy(clip, partial / place)
            except FileNotFoundError:
                missing.append(clip.name)
            progress(done, len(clips))
        said = Contents(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            mirpipe=version("mirpipe"),
            schema_revision=revision,
            digest=digest,
            digest_of=backup_manifest.questions(),
            files=files,
            missing_clips=missing,
        )
        backup_manifest.write(partial, said)
        size = _sync(partial)
        partial.rename(folder)
        sync_folder(folder.parent)
    return Made(folder, digest, len(files) - 1, missing, size)


@contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`, which no other backup writes to; gone where this fails."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} is there already: name a new folder")
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        held = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
            raise MirpipeError(f"another backup writes to {folder}: wait for it") from None
        try:
            _empty(partial)
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)  # by its own name still, where this fails
            os.close(held)
    except OSError as error:
        raise MirpipeError(f"{folder} cannot be written: {error}") from error


def _empty(folder: Path) -> None:
    """Removes what a killed backup left."""
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _copy(source: Path, place: Path) -> str:
    """The SHA-256, in hex, of what was copied; time of change goes with it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, place)
    return sha256(place).hex()


def _sync(folder: Path) -> int:
    """Has the folder on disk; the bytes of its files."""
    size = 0
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
        else:
            sync_file(path)
            size += path.stat().st_size
    sync_folder(folder)
    return size
