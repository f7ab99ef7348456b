"""Creates a backup: a snapshot of the database, and the audio of its clips."""

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from mirpipe.db import health
from mirpipe.db.dump import dump, snapshot
from mirpipe.db.migrate import current, head
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.errors import DatabaseError
from mirpipe.files.addresses import Address
from mirpipe.files.sha256 import sha256
from mirpipe.operations.backup.backup_manifest import (
    CLIPS,
    DUMP,
    MANIFEST,
    Manifest,
    hash_of_digest_queries,
    write_manifest,
)
from mirpipe.operations.backup.destinations import Destination, open_destination
from mirpipe.operations.backup.parallel_files import in_parallel
from mirpipe.records import Progress
from mirpipe.storage.local_copies import local_copy


@dataclass(frozen=True)
class Backup:
    """A complete backup."""

    folder: Address
    digest: str
    """Digest of the content. Empty if the schema is older than this version of mirpipe."""
    clips: int
    missing_clips: list[str]
    """Names of the clips in the database whose audio files were missing."""
    bytes: int


def back_up(place: Address, *, progress: Progress = lambda _done, _total: None) -> Backup:
    """Write the database and all clips to a new place, even while the pipeline is running.

    The place is complete, or does not count as a backup: a local folder is written under another
    name and renamed at the end, and in a bucket, the manifest is written last. Raises
    ConfigurationError if something is there already, DatabaseError if the database contains no
    mirpipe tables, and StorageUnavailable if the bucket does not answer.
    """
    if isinstance(place, Path):
        place = place.expanduser().absolute()
    revision = current()
    if revision is None:
        raise DatabaseError(
            "There is nothing to back up: the database contains no mirpipe tables. Check "
            "MIRPIPE_HOME or MIRPIPE_DATABASE_URL."
        )
    with open_destination(place) as destination:
        with snapshot() as (connection, snapshot_name):
            # The queries of the digest belong to the newest schema.
            digest = combined(digests(connection)) if revision == head() else ""
            clips = sorted(set(health.recorded_files(connection, "generated")), key=os.fsencode)
            dump(destination.folder / DUMP, moment=snapshot_name)
        dumped = sorted(f"{DUMP}/{path.name}" for path in (destination.folder / DUMP).iterdir())
        kept = [*in_parallel(lambda name: _keep(destination, name), dumped)]
        missing = []
        copied = in_parallel(
            lambda clip: _copy_and_keep(destination, clip), clips, progress=progress
        )
        for clip, file in zip(clips, copied, strict=True):
            if file is None:
                missing.append(clip.name)
            else:
                kept.append(file)
        manifest = Manifest(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            mirpipe=version("mirpipe"),
            schema_revision=revision,
            digest=digest,
            digest_of=hash_of_digest_queries(),
            files={file.name: file.sha256 for file in kept},
            missing_clips=missing,
        )
        write_manifest(destination.folder, manifest)
        kept.append(_keep(destination, MANIFEST))
    size = sum(file.bytes for file in kept)
    return Backup(place, digest, len(clips) - len(missing), missing, size)


@dataclass(frozen=True)
class _KeptFile:
    """A file at its place in the backup."""

    name: str
    bytes: int
    sha256: str


def _keep(destination: Destination, name: str) -> _KeptFile:
    """Move a complete file to its place in the backup."""
    path = destination.folder / name
    file = _KeptFile(name, path.stat().st_size, sha256(path).hex())
    destination.keep(name)
    return file


def _copy_and_keep(destination: Destination, clip: Address) -> _KeptFile | None:
    """Copy a clip to its place in the backup. Return None if its audio is missing."""
    name = f"{CLIPS}/{clip.name[:2]}/{clip.name}"
    try:
        _copy(clip, destination.folder / name)
    except FileNotFoundError:
        return None
    return _keep(destination, name)


def _copy(source: Address, place: Path) -> None:
    """Copy a file with its modification time."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with local_copy(source) as path:
        shutil.copy2(path, place)
