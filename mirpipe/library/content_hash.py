"""Content identity of audio files: the SHA-256 of their bytes."""

from mirpipe.errors import MirpipeError
from mirpipe.files.sha256 import sha256
from mirpipe.records import Track


class ContentChanged(MirpipeError):
    """The file is not the one that was ingested; `mirpipe ingest` its folder again."""


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
