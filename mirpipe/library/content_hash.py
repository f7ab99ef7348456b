"""Checks by SHA-256 that a track's file still has the content that was ingested."""

from mirpipe.errors import MirpipeError
from mirpipe.files.sha256 import sha256
from mirpipe.records import Track


class ContentChanged(MirpipeError):
    """The content of a track's file differs from the content that was ingested."""


def require_unchanged(track: Track) -> None:
    """Raise ContentChanged if the track's file is missing or its SHA-256 has changed."""
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
