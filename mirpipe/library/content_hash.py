"""Checks by SHA-256 that a track's file still has the bytes that were ingested."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mirpipe.db.engine import engine
from mirpipe.db.store import track_files
from mirpipe.errors import MirpipeError, ObjectChanged
from mirpipe.files.addresses import S3Address
from mirpipe.files.sha256 import sha256
from mirpipe.records import Track
from mirpipe.storage.local_copies import local_copy


class ContentChanged(MirpipeError):
    """The content of a track's file differs from the content that was ingested."""


@contextmanager
def unchanged_copy(track: Track) -> Iterator[Path]:
    """Yield a local path of the track's file, while the context is open.

    Raises ContentChanged if the file is missing or its SHA-256 has changed. A changed file is
    marked, so that the next ingest reads it even if its size and times are those of the ingested
    file. Raises StorageUnavailable if its bucket cannot be used now.
    """
    with ExitStack() as stack:
        try:
            path = stack.enter_context(local_copy(track.path, track.etag))
            digest = sha256(path)
        except FileNotFoundError:
            raise ContentChanged(
                f"{track.title!r} is missing: there is no file {track.path}. Restore the file, or "
                "run `mirpipe ingest` on its folder again."
            ) from None
        except ObjectChanged:
            raise _changed(track) from None
        if digest != track.file_sha256:
            if isinstance(track.path, S3Address):
                path.unlink(missing_ok=True)  # The copy may be damaged.
            raise _changed(track)
        yield path


def _changed(track: Track) -> ContentChanged:
    with engine("app").begin() as connection:
        track_files.mark_changed(connection, os.fsencode(track.path))
    return ContentChanged(
        f"{track.title!r} changed since it was ingested: {track.path}. Run `mirpipe ingest` on its "
        "folder again."
    )
