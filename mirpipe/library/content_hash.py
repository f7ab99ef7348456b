"""Checks by SHA-256 that a track's file still has the bytes that were ingested."""

import os

from mirpipe.db.engine import engine
from mirpipe.db.store import track_files
from mirpipe.errors import MirpipeError
from mirpipe.files.sha256 import sha256
from mirpipe.records import Track


class ContentChanged(MirpipeError):
    """The content of a track's file differs from the content that was ingested."""


def require_unchanged(track: Track) -> None:
    """Raise ContentChanged if the track's file is missing or its SHA-256 has changed.

    A changed file is marked, so that the next ingest reads it even if its size and times are those
    of the ingested file.
    """
    try:
        digest = sha256(track.path)
    except FileNotFoundError:
        raise ContentChanged(
            f"{track.title!r} is missing: there is no file {track.path}. Restore the file, or run "
            "`mirpipe ingest` on its folder again."
        ) from None
    if digest != track.file_sha256:
        with engine("app").begin() as connection:
            track_files.mark_changed(connection, os.fsencode(track.path))
        raise ContentChanged(
            f"{track.title!r} changed on disk since it was ingested: {track.path}. Run `mirpipe "
            "ingest` on its folder again."
        )
