"""A player for a track, brought to the level of the others, or why it cannot be heard here."""

import os
from collections.abc import Iterable, Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components.markup import note, number, show
from mirpipe.db import queries

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

MOST_DB = 20.0
"""The loudest player is turned down by so much at most, however quiet another is."""
# A player can be turned down and not up. Listening to one track ends the one before it.
SCRIPT = """<script>
const level = (event) => {
  const one = event.target;
  if (one.tagName !== "AUDIO" || one.dataset.levelled === one.currentSrc) return;
  const mark = one.closest("[data-testid=stVerticalBlock]")?.querySelector(".mp-level");
  if (mark) one.volume = mark.dataset.volume;
  one.dataset.levelled = one.currentSrc;
};
document.addEventListener("loadedmetadata", level, true);
document.addEventListener("play", (event) => {
  level(event);
  for (const other of document.querySelectorAll("audio")) {
    if (other !== event.target) other.pause();
  }
}, true);
</script>"""


def common_level(files: Iterable[Sequence[queries.LiveFile]]) -> float:
    """The level, in dBFS, that players of these tracks are brought to: the quietest one's."""
    levels = [of_track[0].rms_dbfs for of_track in files if of_track]
    return max(min(levels), max(levels) - MOST_DB) if levels else 0.0


def player(
    files: Sequence[queries.LiveFile], *, name: str, key: str, level: float | None = None
) -> None:
    """Plays the first copy that is still there; `name` is what a screen reader calls the player.

    It is turned down to `level`, in dBFS, where the track is louder; one to a container.
    """
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
        if level is not None:
            show(_turned_down(min(level - file.rms_dbfs, 0.0)))
        st.audio(str(file.path), format=MEDIA_TYPES[file.format], alt=name)


def _turned_down(decibels: float) -> Markup:
    return Markup("<div class='mp-level mp-muted' data-volume='{:.4f}'>{} dB</div>").format(
        10 ** (decibels / 20), number(decibels, 1)
    )
