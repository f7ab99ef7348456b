"""Checks that a track's file still has the content that was ingested, by its SHA-256."""

from mirpipe.errors import MirpipeError
from mirpipe.files.sha256 import sha256
from mirpipe.records import Track


class ContentChanged(MirpipeError):
    """The file of a track has another content than the one that was ingested."""


def require_unchanged(track: Track) -> None:
    """Raise ContentChanged if the track's file is missing or has another SHA-256 than the track."""
    try:
        digest = sha256(track.path)
    except FileNotFoundError:
        raise ContentChanged(
            f"{track.title!r} is missing: there is no file {track.path}. Restore the file, or run "
            "`mirpipe ingest` on its folder again."
        ) from None
    if digest != track.content_sha256:
        raise ContentChanged(
            f"{track.title!r} changed on disk since it was ingested: {track.path}. Run `mirpipe "
            "ingest` on its folder again."
        )
