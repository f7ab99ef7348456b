"""Restore: what a backup holds, checked first, in place of what is there."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from mirpipe.db.dump import is_filled, load, snapshot
from mirpipe.db.migrate import head, migrate, provision_roles, unknown_revision
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.files.printable_path import printable_path
from mirpipe.files.sha256 import sha256
from mirpipe.operations.backup import backup_manifest
from mirpipe.operations.backup.backup_manifest import CLIPS, DUMP, Contents
from mirpipe.records import Progress
from mirpipe.settings import settings


@dataclass(frozen=True)
class Restored:
    """What was restored; `is_compared`: its content was found equal to that of the backup."""

    made_at: str
    clips: int
    digest: str
    is_compared: bool
    """False where the backup is of an older schema, which was brought to head."""


def restore(
    folder: Path, *, replace: bool = False, progress: Progress = lambda _done, _total: None
) -> Restored:
    """Puts the backup's rows and audio where the settings say, the rows all at once.

    Its files are checked before anything is written. Raises ConfigurationError where the backup is
    not whole, where it needs a newer mirpipe, or where the database holds anything, unless
    `replace`; DatabaseError where its content is another afterwards.
    """
    folder = folder.expanduser().absolute()
    told = backup_manifest.read(folder)
    if problem := unknown_revision(told.schema_revision):
        raise ConfigurationError(f"{folder} cannot be restored. {problem}")
    _require_whole(folder, told, progress)
    provision_roles()
    if is_filled() and not replace:
        raise ConfigurationError(
            "the database is not empty: `--replace` drops what it holds, or set MIRPIPE_HOME or "
            "MIRPIPE_DATABASE_URL to an empty one"
        )
    clips = _put_clips(folder, told)
    store = settings().clips_folder
    load(
        folder / DUMP,
        revision=told.schema_revision,
        clips=os.fsencode(store),
        shown=printable_path(store),
    )
    migrate()
    with snapshot() as (connection, _):
        digest = combined(digests(connection))
    comparable = told.schema_revision == head() and told.digest_of == backup_manifest.questions()
    if comparable and digest != told.digest:
        raise DatabaseError(
            f"what was restored has the digest {digest} and the backup says {told.digest}: "
            "do not trust it; `mirpipe verify` tells more"
        )
    return Restored(told.made_at, clips, digest, comparable)


def _require_whole(folder: Path, told: Contents, progress: Progress) -> None:
    for done, (name, wanted) in enumerate(told.files.items(), start=1):
        path = folder / name
        found = sha256(path).hex() if path.is_file() else "missing"
        if found != wanted:
            raise ConfigurationError(
                f"{path} is {'missing' if found == 'missing' else 'damaged'}: this backup is not "
                "whole, take another one"
            )
        progress(done, len(told.files))


def _put_clips(folder: Path, told: Contents) -> int:
    """How many clips lie in the store now, each whole or not there."""
    store = settings().clips_folder
    names = [name for name in told.files if name.startswith(f"{CLIPS}/")]
    for name in names:
        place = store / Path(name).relative_to(CLIPS)
        if place.is_file() and sha256(place).hex() == told.files[name]:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(f".{place.name}.{os.getpid()}")
        shutil.copy2(folder / name, new)
        new.replace(place)
    return len(names)
