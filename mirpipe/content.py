"""Content identity of audio files: the SHA-256 of their bytes."""

import hashlib
from pathlib import Path

from mirpipe.errors import MirpipeError
from mirpipe.records import Track


class ContentChanged(MirpipeError):
    """The file is not the one that was ingested; `mirpipe ingest` its folder again."""


def sha256(path: Path) -> bytes:
    """The 32 bytes that identify the file's content; memory stays flat. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def require_unchanged(track: Track) -> None:
    """Raises ContentChanged where the track's file no longer holds what was ingested."""
    try:
        found = sha256(track.path)
    except FileNotFoundError:
        raise ContentChanged(
            f"{track.title!r} is gone from {track.path}: ingest the folder it was in again"
        ) from None
    if found != track.content_sha256:
        raise ContentChanged(
            f"{track.title!r} changed on disk since it was ingested: ingest its folder again"
        )
