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
# A player's volume can be reduced but not raised above 1. The script finds the element with the
# reduction in the same block as the player. It also pauses all other players when one starts.
SCRIPT = """<script>
const matchLevel = (event) => {
  const player = event.target;
  if (player.tagName !== "AUDIO" || player.dataset.levelled === player.currentSrc) return;
  const block = player.closest("[data-testid=stVerticalBlock]");
  const reduction = block?.querySelector(".mp-level");
  if (reduction) player.volume = reduction.dataset.volume;
  player.dataset.levelled = player.currentSrc;
};
document.addEventListener("loadedmetadata", matchLevel, true);
document.addEventListener("play", (event) => {
  matchLevel(event);
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


def reduction_line(track_dbfs: float, level: float) -> Markup:
    """Return the reduction in dB from a track's level to `level`, both in dBFS.

    The script reads the player's volume (0 to 1) from this element.
    """
    decibels = min(level - track_dbfs, 0.0)
    return Markup("<div class='mp-level mp-muted' data-volume='{:.4f}'>{} dB</div>").format(
        10 ** (decibels / 20), format_number(decibels, 1)
    )
