"""How far the clips of each mode lie, as a set, from the reference library."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import MODE_ORDER, rows


@dataclass(frozen=True)
class SetDistance:
    """KAD or FAD∞ (`metric` is kad or fad_inf) of a mode's clips in an encoder's space.

    Nothing to conclude from where `is_finding` is false: the clips are fewer than 50. `value` is
    None with a `reason`; `seconds` is the clips' length together.
    """

    generator: str
    mode: str
    guidance: float | None
    encoder: str
    metric: str
    value: float | None
    reason: str | None
    is_finding: bool
    n: int
    references_n: int
    seconds: float
    bandwidth: float | None
    licence_weights: str
    random: bool
    run_id: int
    finished_at: datetime


_DISTANCES = """
    SELECT generator, mode, guidance, encoder, metric, value, reason, is_finding, n, references_n,
        seconds, bandwidth, licence_weights, random, run_id, finished_at
    FROM mirpipe.{0} ORDER BY run_id, metric DESC, encoder, generator, {1}
"""


def set_distances(*, history: bool = False) -> list[SetDistance]:
    """Distances in the latest run, or in every run, the oldest first."""
    view = "v_set_distance_history" if history else "v_set_distance"
    return rows(SetDistance, text(_DISTANCES.format(view, MODE_ORDER)))
