"""Level matching: all players on a page play at the level of the quietest track."""

from collections.abc import Iterable, Sequence

from dashboard.components.number_format import format_number
from mirpipe.db import queries

MAX_REDUCTION_DB = 20.0
"""Largest reduction of a player's level, in dB, even if another track is quieter."""
EXPLANATION = (
    "Loudness is matched: the number beside each button shows by how many dB the track is reduced."
)


def common_level(files: Iterable[Sequence[queries.FileLocation]]) -> float:
    """Return the level, in dBFS, to which the players of these tracks are reduced.

    This is the level of the quietest track, but at most `MAX_REDUCTION_DB` below the loudest track.
    """
    levels = [files_of_track[0].rms_dbfs for files_of_track in files if files_of_track]
    return max(min(levels), max(levels) - MAX_REDUCTION_DB) if levels else 0.0


def volume(track_dbfs: float, level: float) -> float:
    """Return the volume of a player, 0 to 1, that reduces a track to `level`. Both are in dBFS."""
    return float(10 ** (_reduction(track_dbfs, level) / 20))


def reduction_text(track_dbfs: float, level: float) -> str:
    """Return the reduction in dB from a track's level to `level`, both in dBFS."""
    return f"{format_number(_reduction(track_dbfs, level), 1)} dB"


def _reduction(track_dbfs: float, level: float) -> float:
    return min(level - track_dbfs, 0.0)
