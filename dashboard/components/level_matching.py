"""Level matching: all players on a page play at the level of the quietest track."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from dashboard.components.number_format import format_number
from mirpipe.db import queries

MAX_REDUCTION_DB = 20.0
"""Largest reduction of a player's level, in dB, even if another track is quieter."""
EXPLANATION = (
    "Loudness is matched: the number above each player shows by how many dB it is reduced."
)
# A player's volume can be reduced but not raised above 1. The script also pauses all other players
# when one starts. If a browser cannot decode a file, the server decodes it.
SCRIPT = """<script>
document.addEventListener("loadstart", (event) => {
  if (event.target.dataset?.volume) event.target.volume = event.target.dataset.volume;
}, true);
document.addEventListener("error", async (event) => {
  const player = event.target;
  if (player.tagName !== "AUDIO" || !player.src) return;
  const answer = await fetch(player.src, {headers: {Range: "bytes=0-0"}});
  if (answer.ok && !player.src.includes("?")) {
    player.src += "?as=wav";
  } else {
    const reason = document.createElement("div");
    reason.className = "mp-remark";
    reason.textContent = `The audio cannot be read. ${answer.ok ? "" : await answer.text()}`;
    player.replaceWith(reason);
  }
}, true);
document.addEventListener("play", (event) => {
  for (const other of document.querySelectorAll("audio")) {
    if (other !== event.target) other.pause();
  }
}, true);
</script>"""
"""Script of the app: it sets each player's volume and lets only one player play at a time."""


def common_level(files: Iterable[Sequence[queries.FileLocation]]) -> float:
    """Return the level, in dBFS, to which the players of these tracks are reduced.

    This is the level of the quietest track, but at most `MAX_REDUCTION_DB` below the loudest track.
    """
    levels = [files_of_track[0].rms_dbfs for files_of_track in files if files_of_track]
    return max(min(levels), max(levels) - MAX_REDUCTION_DB) if levels else 0.0


def volume(track_dbfs: float, level: float) -> float:
    """Return the volume of a player, 0 to 1, that reduces a track to `level`. Both are in dBFS."""
    return float(10 ** (_reduction(track_dbfs, level) / 20))


def reduction_line(track_dbfs: float, level: float) -> Markup:
    """Return the reduction in dB from a track's level to `level`, both in dBFS."""
    decibels = format_number(_reduction(track_dbfs, level), 1)
    return Markup("<div class='mp-level mp-muted'>{} dB</div>").format(decibels)


def _reduction(track_dbfs: float, level: float) -> float:
    return min(level - track_dbfs, 0.0)
