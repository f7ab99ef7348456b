"""Ratings of tracks by Audiobox Aesthetics."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class Aesthetics:
    """Predicted listener ratings of one track, in points from about 1 to 10.

    A rating is None if the model could not compute it.
    """

    track_id: int
    ce: float | None
    """Content enjoyment."""
    cu: float | None
    """Content usefulness."""
    pc: float | None
    """Production complexity."""
    pq: float | None
    """Production quality."""
    reason: str | None
    """Code of the reason why a rating is missing. None if no rating is missing."""
    licence_weights: str
    """Licence of the model's weights."""
    random: bool
    """Whether the model has random weights. Its ratings are then not meaningful for music."""


_AESTHETICS = text("""
    SELECT track_id, ce, cu, pc, pq, reason, coalesce(licence_weights, '') AS licence_weights,
        random
    FROM mirpipe.v_aesthetics WHERE track_id = ANY(:track_ids)
""")


def aesthetics(track_ids: Sequence[int]) -> dict[int, Aesthetics]:
    """Return the ratings of these tracks, by track id. Tracks without ratings are left out."""
    rows = read_rows(Aesthetics, _AESTHETICS, track_ids=list(track_ids))
    return {row.track_id: row for row in rows}
