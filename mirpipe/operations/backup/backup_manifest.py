"""What a backup says of itself: manifest.json, written last: only a whole backup has one."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mirpipe.db.store import content_digest as digest
from mirpipe.errors import ConfigurationError

FORMAT = 1
DUMP = "database.dump"
CLIPS = "clips"
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Contents:
    """Everything that is needed to trust a backup and to restore it."""

    made_at: str
    """ISO 8601, UTC."""
    mirpipe: str
    """Version of the program that made it."""
    schema_revision: str
    digest: str
    """Of the content, as `mirpipe verify --digest` prints it."""
    digest_of: str
    """Which questions that digest answers: another mirpipe may ask others."""
    files: dict[str, str]
    """Path within the backup → SHA-256, in hex."""
    missing_clips: list[str]
    """Names of clips that had a row and no file."""
    format: int = FORMAT


def questions() -> str:
    """A hash over what the digest asks: two digests compare only where this is equal."""
    return hashlib.sha256(json.dumps(digest.CONTENT, sort_keys=True).encode()).hexdigest()


def write(folder: Path, contents: Contents) -> Path:
    """The manifest's path, written."""
    path = folder / _MANIFEST
    path.write_text(json.dumps(asdict(contents), indent=1, ensure_ascii=False) + "\n")
    return path


def read(folder: Path) -> Contents:
    """What the backup says of itself. Raises ConfigurationError where there is no whole backup."""
    try:
        told = json.loads((folder / _MANIFEST).read_text())
    except OSError as error:
        raise ConfigurationError(
            f"{folder} holds no whole backup: {_MANIFEST} cannot be read ({error.strerror})"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"{folder / _MANIFEST} is damaged: {error}") from error
    if told.get("format") != FORMAT:
        raise ConfigurationError(f"{folder} was made by another mirpipe: {told.get('mirpipe')}")
    return Contents(**told)
