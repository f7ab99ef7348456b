"""Restores a backup: checks its files first, then replaces the database and copies the clips."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from mirpipe.db.dump import snapshot
from mirpipe.db.load_dump import is_filled, load
from mirpipe.db.migrate import head, migrate, provision_roles, unknown_revision
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.files.addresses import Address, S3Address
from mirpipe.files.printable_path import printable_path
from mirpipe.files.sha256 import sha256
from mirpipe.operations.backup.backup_manifest import (
    CLIPS,
    CONTENTS,
    DUMP,
    Manifest,
    hash_of_digest_queries,
    read_manifest,
    require_own_file,
)
from mirpipe.operations.backup.local_backup import local_backup
from mirpipe.operations.backup.parallel_files import in_parallel
from mirpipe.records import Progress
from mirpipe.settings import settings
from mirpipe.storage.objects import list_objects, put


@dataclass(frozen=True)
class RestoreResult:
    """Counts and digest of a restored backup."""

    made_at: str
    """Time of the backup, ISO 8601, in UTC."""
    clips: int
    digest: str
    is_compared: bool
    """Whether the digest was compared with the backup's digest and was equal.

    False if the backup comes from a version with another schema or other digest queries.
    """


def restore(
    place: Address, *, replace: bool = False, progress: Progress = lambda _done, _total: None
) -> RestoreResult:
    """Restore the database and the clips to the locations in the settings.

    All files in the backup are checked before anything is written, and the rows replace the old
    ones in one transaction. The dump is SQL that runs as the owner, so restore only backups of
    people you trust. Raises ConfigurationError if the backup is not complete, if it contains links
    or files that are not part of a backup, if it needs a newer mirpipe, or if the database is not
    empty and `replace` is false. Raises DatabaseError if the restored content differs from the
    backup, and StorageUnavailable if a bucket does not answer.
    """
    with local_backup(place) as folder:
        return _restore(folder, replace=replace, progress=progress)


def _restore(folder: Path, *, replace: bool, progress: Progress) -> RestoreResult:
    manifest = read_manifest(folder)
    if problem := unknown_revision(manifest.schema_revision):
        raise ConfigurationError(f"{folder} cannot be restored. {problem}")
    _require_undamaged(folder, manifest, progress)
    provision_roles()
    if is_filled() and not replace:
        raise ConfigurationError(
            "The database is not empty. Use `--replace` to delete its content first, or set "
            "MIRPIPE_HOME or MIRPIPE_DATABASE_URL to an empty database."
        )
    clips = _copy_clips(folder, manifest)
    store = settings().clips_folder
    load(
        folder / manifest.dump,
        revision=manifest.schema_revision,
        clips=os.fsencode(store),
        shown=printable_path(store),
        replace=replace,
    )
    migrate()
    with snapshot() as (connection, _):
        digest = combined(digests(connection))
    is_comparable = (
        manifest.schema_revision == head() and manifest.digest_of == hash_of_digest_queries()
    )
    if is_comparable and digest != manifest.digest:
        raise DatabaseError(
            f"The digest of the restored content is {digest}, but that of the backup is "
            f"{manifest.digest}. Do not use this database. Run `mirpipe verify` to see what "
            "differs."
        )
    return RestoreResult(manifest.made_at, clips, digest, is_comparable)


def _require_undamaged(folder: Path, manifest: Manifest, progress: Progress) -> None:
    """Raise ConfigurationError if a file of the backup is missing or damaged."""

    def check(name: str) -> None:
        path = folder / name
        require_own_file(folder, name)
        if not path.is_file():
            raise ConfigurationError(f"{path} is missing. Use another backup.")
        if sha256(path).hex() != manifest.files[name]:
            raise ConfigurationError(f"{path} is damaged. Use another backup.")

    for _ in in_parallel(check, [*manifest.files], progress=progress):
        pass
    if manifest.dump == DUMP:
        _require_own_tables(folder, manifest)


def _require_own_tables(folder: Path, manifest: Manifest) -> None:
    """Raise ConfigurationError if pg_restore could read files that are not part of the backup.

    pg_restore reads the files that the table of contents names, relative to the dump's folder.
    """
    for path in (folder / DUMP).iterdir():
        if f"{DUMP}/{path.name}" not in manifest.files:
            raise ConfigurationError(f"{path} is not a file of a backup. Use another backup.")
    if b"../" in (folder / CONTENTS).read_bytes():
        raise ConfigurationError(
            f"{folder / CONTENTS} names a file that is not a file of a backup. Use another backup."
        )


def _copy_clips(folder: Path, manifest: Manifest) -> int:
    """Copy the clips to the clips folder, and return how many clips the backup contains.

    Clips that are already there are skipped. If the process is killed, no clip is left incomplete.
    """
    store = settings().clips_folder
    names = [name for name in manifest.files if name.startswith(f"{CLIPS}/")]
    sizes = {}
    if isinstance(store, S3Address) and names:
        sizes = {each.address: each.size for each in list_objects(store)}

    def copy(name: str) -> None:
        place = store / name.removeprefix(f"{CLIPS}/")
        if isinstance(place, S3Address):
            # The name contains the content's hash, and an object is never incomplete.
            if sizes.get(place) != (folder / name).stat().st_size:
                put(place, folder / name)
        elif not place.is_file() or sha256(place).hex() != manifest.files[name]:
            _copy_clip(folder / name, place)

    for _ in in_parallel(copy, names):
        pass
    return len(names)


def _copy_clip(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    # Only the content and its time are copied. A backup of somebody else could set other
    # permissions, such as setuid.
    shutil.copyfile(source, temporary, follow_symlinks=False)
    modified = source.stat().st_mtime_ns
    os.utime(temporary, ns=(modified, modified))
    temporary.replace(place)
