"""What Audiobox Aesthetics says of tracks."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import rows


@dataclass(frozen=True)
class Aesthetics:
    """What listeners would give a track, about 1 to 10 points, as a model predicts it.

    Content enjoyment, content usefulness, production complexity, production quality; `reason` says
    why a number is missing; `random` marks a model without trained weights.
    """

    track_id: int
    ce: float | None
    cu: float | None
    pc: float | None
    pq: float | None
    reason: str | None
    licence_weights: str
    random: bool


_AESTHETICS = text("""
    SELECT track_id, ce, cu, pc, pq, reason, coalesce(licence_weights, '') AS licence_weights,
        random
    FROM mirpipe.v_aesthetics WHERE track_id = ANY(:track_ids)
""")


def aesthetics(track_ids: Sequence[int]) -> dict[int, Aesthetics]:
    """Of each of these tracks; no key for one that is not scored."""
    found = rows(Aesthetics, _AESTHETICS, track_ids=list(track_ids))
    return {row.track_id: row for row in found}
