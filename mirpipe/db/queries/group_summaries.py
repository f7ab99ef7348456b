"""Summaries of the latest run, grouped by the genre or instrument of the targets."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.mode_order import MODE_ORDER
from mirpipe.db.queries.read_rows import read_rows
from mirpipe.settings import settings


@dataclass(frozen=True)
class GroupSummary:
    """Summary of one metric over the targets with the same genre or instrument."""

    subject: str
    """Name of the encoder, or generator, mode and guidance."""
    label: str
    """Label by which the targets are grouped: genre or instrument."""
    value: str
    """Label value that all targets in the group have."""
    metric: str
    n: int
    """Number of targets in the mean. The values of a target's clips are averaged first."""
    undefined_n: int
    """Number of best matches or clips in the group without a value."""
    unlabelled_n: int
    """Number of targets without the label, which are in no group."""
    mean: float | None
    """Mean over the targets. None if there are no values."""
    sd: float | None
    """Population standard deviation over the targets. None if there are no values."""
    low: float | None
    """Lower end of the mean's 95% interval over the targets in the group."""
    high: float | None
    """Upper end of the mean's 95% interval over the targets in the group."""
    licence_weights: str
    """Licences of the weights that were used."""
    random: bool
    """Whether random weights were used."""
    p_adjusted: float | None = None
    """Corrected p-value of the difference from all other labelled targets. None if not tested."""


_COLUMNS = (
    "label, value, metric, n, undefined_n, unlabelled_n, mean, sd, low, high, "
    "coalesce(licence_weights, '') AS licence_weights, random, "
    "p_adjusted"
)
_RETRIEVAL = text(f"""
    SELECT encoder AS subject, {_COLUMNS} FROM mirpipe.v_retrieval_group_summary
    WHERE label = :label
    ORDER BY array_position(CAST(:encoder_order AS text[]), encoder), encoder, metric, value
""")
_GENERATION = text(f"""
    SELECT concat_ws(' ', generator, mode, '(' || guidance || ')') AS subject, {_COLUMNS}
    FROM mirpipe.v_generation_group_summary WHERE label = :label
    ORDER BY generator, {MODE_ORDER}, metric, value
""")


def retrieval_group_summaries(label: str) -> list[GroupSummary]:
    """Return summaries of the best matches, grouped by the targets' "genre" or "instrument"."""
    return read_rows(GroupSummary, _RETRIEVAL, label=label, encoder_order=settings().encoders)


def generation_group_summaries(label: str) -> list[GroupSummary]:
    """Return summaries of the clips, grouped by the targets' "genre" or "instrument"."""
    return read_rows(GroupSummary, _GENERATION, label=label)
