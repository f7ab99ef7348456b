"""The audio player for a track, or the reason why the track cannot be played."""

import os
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from dashboard.components.level_matching import reduction_line, volume
from dashboard.components.markup import remark, show
from mirpipe.db import queries
from mirpipe.served_audio.links import audio_link

SHOWN_SILENT_SHARE = 0.01
"""Smallest silent share of a track that is mentioned."""


def player(files: Sequence[queries.FileLocation], *, name: str, level: float | None = None) -> None:
    """Draw a player for the first readable file of a track.

    `name` is the player's label for screen readers. `level` is the level, in dBFS, to which
    louder tracks are reduced. The browser requests the audio, so the page reads no file.
    """
    readable = [file for file in files if _may_be_readable(file)]
    if not readable:
        where = f": {files[0].shown}" if files else ""
        show(remark(f"The audio file is missing{where}. The next ingest marks it as gone."))
        return
    file = readable[0]
    if level is not None:
        show(reduction_line(file.rms_dbfs, level))
    show(
        Markup(
            "<audio controls preload='metadata' src='{}' aria-label='{}' data-volume='{:.4f}'>"
            "</audio>"
        ).format(
            audio_link(file.content_sha256),
            name,
            1.0 if level is None else volume(file.rms_dbfs, level),
        )
    )
    if file.silent_share >= SHOWN_SILENT_SHARE:
        show(remark(f"{file.silent_share:.0%} of this track is silent and counts in no result."))


def _may_be_readable(file: queries.FileLocation) -> bool:
    """Return whether a local file can be read. Objects in S3 are not requested for this."""
    if not isinstance(file.path, Path):
        return True
    return file.path.is_file() and os.access(file.path, os.R_OK)
