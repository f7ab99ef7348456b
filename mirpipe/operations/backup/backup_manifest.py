"""The file manifest.json of a backup. It is written last, so only complete backups have one."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mirpipe.db.store import content_digest
from mirpipe.errors import ConfigurationError

FORMAT = 1
DUMP = "database.dump"
CLIPS = "clips"
_MANIFEST = "manifest.json"


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


def hash_of_digest_queries() -> str:
    """Return a hash of the queries that compute the digest.

    Two digests can be compared only if this hash is the same for both.
    """
    queries = json.dumps(content_digest.CONTENT, sort_keys=True)
    return hashlib.sha256(queries.encode()).hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write the manifest into the folder and return its path."""
    path = folder / _MANIFEST
    path.write_text(json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n")
    return path


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup.

    Raises ConfigurationError if the folder does not contain a complete backup.
    """
    try:
        fields = json.loads((folder / _MANIFEST).read_text())
    except OSError as error:
        raise ConfigurationError(
            f"{folder} is not a complete backup: {_MANIFEST} cannot be read ({error.strerror}). "
            "Use another backup."
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"{folder / _MANIFEST} is damaged: {error}. Use another backup."
        ) from error
    if fields.get("format") != FORMAT:
        raise ConfigurationError(
            f"{folder} has a format that this version cannot read. It was created by mirpipe "
            f"{fields.get('mirpipe')}: restore it with that version."
        )
    return Manifest(**fields)
