"""Distances between the set of clips in each mode and the reference library."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.mode_order import MODE_ORDER
from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class SetDistance:
    """Distance between the clips in one mode and the reference library, in an encoder's space."""

    generator: str
    mode: str
    guidance: float | None
    """Classifier-free guidance scale. None if the generator has none."""
    encoder: str
    metric: str
    """Name of the distance: kad or fad_inf (FAD∞)."""
    value: float | None
    """Distance, without a unit. 0 means equal distributions. None if the distance is undefined."""
    reason: str | None
    """Code of the reason why the value is missing. None if there is a value."""
    is_finding: bool
    """Whether there are at least 50 clips, and fad_inf is above the bias at this number."""
    n: int
    """Number of clips with distinct content."""
    references_n: int
    """Number of references in the comparison."""
    seconds: float
    """Total length of the clips, in seconds."""
    bandwidth: float | None
    """Bandwidth of the KAD kernel. None for fad_inf."""
    bias: float | None
    """Mean fad_inf of sets with the references' distribution. None for kad."""
    bias_high: float | None
    """Largest fad_inf of such sets."""
    licence_weights: str
    """Licences of the weights of the generator and the encoder."""
    random: bool
    """Whether the generator or the encoder has random weights."""
    run_id: int
    finished_at: datetime
    """Time at which the run was published, with its time zone."""


_DISTANCES = """
    SELECT generator, mode, guidance, encoder, metric, value, reason, is_finding, n, references_n,
        seconds, bandwidth, bias, bias_high, licence_weights, random, run_id, finished_at
    FROM mirpipe.{view} ORDER BY run_id, metric DESC, encoder, generator, {mode_order}
"""


def set_distances(*, history: bool = False) -> list[SetDistance]:
    """Return the distances of the latest run, or of every run, oldest first."""
    view = "v_set_distance_history" if history else "v_set_distance"
    query = text(_DISTANCES.format(view=view, mode_order=MODE_ORDER))
    return read_rows(SetDistance, query)
