"""A player for a track, or the reason why it cannot be heard here."""

import os
from collections.abc import Sequence

import streamlit as st

from dashboard.markup import note, show
from mirpipe.db import reports

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
"""Containers that browsers play, as reports name them."""

# Streamlit holds every file that it serves in memory as a whole.
ASK_BYTES = 32 * 2**20
MOST_BYTES = 512 * 2**20


def player(files: Sequence[reports.LiveFile], *, name: str, key: str) -> None:
    """Plays the first copy that is still there; `name` is what a screen reader calls the player."""
    there = [file for file in files if file.path.is_file() and os.access(file.path, os.R_OK)]
    if not there:
        where = f" from {files[0].shown}" if files else ""
        show(note(f"The audio file has vanished{where}. The next ingest takes note of it."))
        return
    file = there[0]
    if file.format not in MEDIA_TYPES:
        kind = file.format or "this kind of"
        show(note(f"Browsers do not play {kind} files. Listen to it at {file.shown}"))
        return
    size = file.path.stat().st_size
    if size > MOST_BYTES:
        show(note(f"Too large to play here ({size / 2**20:,.0f} MB): {file.shown}"))
    elif size <= ASK_BYTES or st.checkbox(f"Load the player ({size / 2**20:,.0f} MB)", key=key):
        st.audio(str(file.path), format=MEDIA_TYPES[file.format], alt=name)
