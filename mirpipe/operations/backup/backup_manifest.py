"""The file manifest.json of a backup. It is written last, so only complete backups have one.

A backup can come from somebody else. The manifest is therefore checked when it is read: it can only
name files that a backup contains.
"""

import hashlib
import json
import re
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mirpipe.db.store import content_digest
from mirpipe.errors import ConfigurationError

FORMAT = 2
DUMP = "database"
"""Folder of the dump, with one file per table."""
CONTENTS = f"{DUMP}/toc.dat"
"""The dump's table of contents."""
CLIPS = "clips"
MANIFEST = "manifest.json"
_FIRST_FORMAT = 1
_DUMP_OF_FIRST_FORMAT = "database.dump"
_CLIP = re.compile(rf"{CLIPS}/([^/.\0][^/\0])/\1[^/\0]*")
_DUMP_FILE = re.compile(rf"{DUMP}/(toc\.dat|[0-9]+\.dat(\.gz|\.zst)?)")


@dataclass(frozen=True)
class Manifest:
    """Everything that is needed to check and restore a backup."""

    made_at: str
    """Time of the backup, ISO 8601, in UTC."""
    mirpipe: str
    """Version of mirpipe that created the backup."""
    schema_revision: str
    digest: str
    """Digest of the content, as `mirpipe verify --digest` prints it. Empty for an older schema."""
    digest_of: str
    """Hash of the queries that compute the digest. They can differ between mirpipe versions."""
    files: dict[str, str]
    """SHA-256 of each file, in hex, by the file's path within the backup."""
    missing_clips: list[str]
    """Names of the clips in the database whose audio files were missing."""
    format: int = FORMAT

    @property
    def dump(self) -> str:
        """Path of the dump within the backup: a folder, or in the first format, a file."""
        return _DUMP_OF_FIRST_FORMAT if self.format == _FIRST_FORMAT else DUMP


def is_clip(name: str) -> bool:
    """Return whether this is the name of a clip's audio within a backup."""
    return _CLIP.fullmatch(name) is not None


def is_dump_file(name: str) -> bool:
    """Return whether this is the name of a file of the database dump within a backup."""
    return name == _DUMP_OF_FIRST_FORMAT or _DUMP_FILE.fullmatch(name) is not None


def hash_of_digest_queries() -> str:
    """Return a hash of the queries that compute the digest.

    Two digests can be compared only if this hash is the same for both.
    """
    queries = json.dumps(content_digest.CONTENT, sort_keys=True)
    return hashlib.sha256(queries.encode()).hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into the folder."""
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup.

    Raises ConfigurationError if the folder does not contain a complete backup, or if the manifest
    names a file that does not belong in a backup.
    """
    require_own_file(folder, MANIFEST)
    try:
        fields = json.loads((folder / MANIFEST).read_text())
    except OSError as error:
        raise ConfigurationError(
            f"{folder} is not a complete backup: {MANIFEST} cannot be read ({error.strerror}). "
            "Use another backup."
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"{folder / MANIFEST} is damaged: {error}. Use another backup."
        ) from error
    if not isinstance(fields, dict) or fields.get("format") not in (_FIRST_FORMAT, FORMAT):
        creator = fields.get("mirpipe") if isinstance(fields, dict) else None
        raise ConfigurationError(
            f"{folder} has a format that this version cannot read. It was created by mirpipe "
            f"{creator or 'of an unknown version'}: restore it with that version."
        )
    try:
        manifest = TypeAdapter(Manifest).validate_python(fields)
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ConfigurationError(
            f"{folder / MANIFEST} is damaged: the field {field} is missing or has a wrong type. "
            "Use another backup."
        ) from error
    _require_names_of_a_backup(folder, manifest)
    return manifest


def require_own_file(folder: Path, name: str) -> None:
    """Raise ConfigurationError if `name` is a link, is reached through one, or is not a file.

    `name` is a relative path without `..`. A file that is missing is no error.
    """
    path = folder
    for part in name.split("/"):
        path /= part
        try:
            status = path.lstat()
        except OSError:
            return
        if stat.S_ISDIR(status.st_mode):
            continue
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise ConfigurationError(
                f"{path} is a link or not a regular file, so it could lead outside the backup. If "
                "you trust the backup, copy it with `cp --recursive --dereference` and restore the "
                "copy."
            )


def _require_names_of_a_backup(folder: Path, manifest: Manifest) -> None:
    """Raise ConfigurationError if a name is neither the dump nor a clip, or the dump is missing."""
    wrong = [name for name in manifest.files if not (is_dump_file(name) or is_clip(name))]
    if wrong:
        raise ConfigurationError(
            f"{folder} cannot be restored: its manifest names {wrong[0]!r}, which is not a file of "
            "a backup. Use another backup."
        )
    needed = CONTENTS if manifest.dump == DUMP else manifest.dump
    if needed not in manifest.files:
        raise ConfigurationError(
            f"{folder} cannot be restored: its manifest does not name {needed}. Use another backup."
        )
