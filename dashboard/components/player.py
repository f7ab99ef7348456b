"""The audio player for a track, or the reason why the track cannot be played."""

import os
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard.components.level_matching import reduction_line
from dashboard.components.markup import remark, show
from mirpipe.db import queries
from mirpipe.errors import MirpipeError
from mirpipe.storage.local_copies import local_copy

MEDIA_TYPES = {
    "WAV": "audio/wav",
    "WAVEX": "audio/wav",
    "FLAC": "audio/flac",
    "OGG": "audio/ogg",
    "Ogg": "audio/ogg",
    "MP3": "audio/mpeg",
    "AAC": "audio/aac",
    "MP4": "audio/mp4",
    "Matroska": "audio/webm",
}
"""Media types of the containers that browsers can play, by container name."""

# Streamlit keeps the complete content of every served file in memory.
CONFIRM_ABOVE_BYTES = 32 * 2**20
MAX_BYTES = 512 * 2**20

SHOWN_SILENT_SHARE = 0.01
"""Smallest silent share of a track that is mentioned."""


def player(
    files: Sequence[queries.FileLocation], *, name: str, key: str, level: float | None = None
) -> None:
    """Draw a player for the first readable file of a track.

    `name` is the player's label for screen readers. `level` is the level, in dBFS, to which
    louder tracks are reduced. Each Streamlit container may contain only one player.
    """
    readable = [file for file in files if _may_be_readable(file)]
    if not readable:
        where = f": {files[0].shown}" if files else ""
        show(remark(f"The audio file is missing{where}. The next ingest marks it as gone."))
        return
    file = readable[0]
    if file.format not in MEDIA_TYPES:
        kind = file.format or "such"
        show(remark(f"Browsers do not play {kind} files. Use another player: {file.shown}"))
        return
    size = file.path.stat().st_size if isinstance(file.path, Path) else file.size
    megabytes = f"{size / 2**20:,.0f} MB"
    if size > MAX_BYTES:
        show(remark(f"Too large to play here ({megabytes}). Use another player: {file.shown}"))
    elif size <= CONFIRM_ABOVE_BYTES or st.checkbox(f"Load the player ({megabytes})", key=key):
        try:
            with local_copy(file.path, file.etag) as path:
                _play(file, path, name=name, level=level)
        except (FileNotFoundError, MirpipeError) as error:
            show(remark(f"The audio cannot be read: {file.shown}. {_reason(error)}"))


def _may_be_readable(file: queries.FileLocation) -> bool:
    """Return whether a local file can be read. Objects in S3 are not requested for this."""
    if not isinstance(file.path, Path):
        return True
    return file.path.is_file() and os.access(file.path, os.R_OK)


def _play(file: queries.FileLocation, path: Path, *, name: str, level: float | None) -> None:
    if level is not None:
        show(reduction_line(file.rms_dbfs, level))
    # Streamlit reads the file at once, and its server answers the browser's requests for ranges.
    st.audio(str(path), format=MEDIA_TYPES[file.format], alt=name)
    if file.silent_share >= SHOWN_SILENT_SHARE:
        show(remark(f"{file.silent_share:.0%} of this track is silent and counts in no result."))


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "The object does not exist. The next ingest marks it as gone."
    return str(error)
