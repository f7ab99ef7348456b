"""The latest run's summaries by genre and by instrument of the targets."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import MODE_ORDER, rows
from mirpipe.settings import settings


@dataclass(frozen=True)
class GroupSummary:
    """A metric over the targets that share a label's value; `subject` is whose numbers they are.

    That is an encoder, or a generator, its mode and guidance. `low` and `high` are the mean's 95 %
    interval over the group's targets; `unlabelled_n` targets carry no such label and are left out.
    """

    subject: str
    label: str
    value: str
    metric: str
    n: int
    undefined_n: int
    unlabelled_n: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    licence_weights: str
    random: bool


_NUMBERS = (
    "label, value, metric, n, undefined_n, unlabelled_n, mean, sd, low, high, "
    "coalesce(licence_weights, '') AS licence_weights, random"
)
_RETRIEVAL = text(f"""
    SELECT encoder AS subject, {_NUMBERS} FROM mirpipe.v_retrieval_group_summary
    WHERE label = :label
    ORDER BY array_position(CAST(:shown AS text[]), encoder), encoder, metric, value
""")
_GENERATION = text(f"""
    SELECT concat_ws(' ', generator, mode, '(' || guidance || ')') AS subject, {_NUMBERS}
    FROM mirpipe.v_generation_group_summary WHERE label = :label
    ORDER BY generator, {MODE_ORDER}, metric, value
""")


def retrieval_by(label: str) -> list[GroupSummary]:
    """The encoders' first answers by the targets' "genre" or "instrument"."""
    return rows(GroupSummary, _RETRIEVAL, label=label, shown=settings().encoders)


def generation_by(label: str) -> list[GroupSummary]:
    """The modes' clips by the targets' "genre" or "instrument"."""
    return rows(GroupSummary, _GENERATION, label=label)
