"""The verdicts of gates on past runs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows

MAX_JUDGEMENTS = 100
"""Number of judgements per gate whose verdicts are returned."""


@dataclass(frozen=True)
class GateVerdict:
    """The verdict of one rule in one judgement. A value that is not measured is None."""

    gate: str
    """Name of the gate: the name of its file without the extension."""
    run_id: int
    judgement: int
    """Number of the judgement of this gate on this run, from 1. A verdict that changes while no new
    run is published begins the next one."""
    finished_at: datetime
    """Time at which the run was published, with its time zone."""
    rule: str
    verdict: str
    """passed, failed or undecided."""
    value: float | None
    low: float | None
    """Lower end of the value's 95% interval. None for a count, or if there is no interval."""
    high: float | None
    """Upper end of the value's 95% interval. None for a count, or if there is no interval."""
    at_least: float | None
    """Lower limit. For a change, minus the margin."""
    at_most: float | None
    """Upper limit."""
    detail: str
    """What was measured, and why the rule is undecided, as sentences."""
    judged_at: datetime
    """Time at which the rule last got a different result in this judgement, with its time zone."""

    @property
    def judged(self) -> str:
        """The run, with the number of a later judgement: "12", and then "12.2"."""
        return f"{self.run_id}" + (f".{self.judgement}" if self.judgement > 1 else "")


def limit_text(at_least: float | None, at_most: float | None) -> str:
    """Return the limits of a rule as text, such as "≥ 0.3, ≤ 0.8". Empty if there are none."""
    limits = (("≥", at_least), ("≤", at_most))
    return ", ".join(f"{sign} {bound:g}" for sign, bound in limits if bound is not None)


_VERDICTS = text("""
    SELECT gate, run_id, judgement, finished_at, rule, verdict, value, low, high, at_least, at_most,
        detail, judged_at
    FROM (SELECT v.*,
            dense_rank() OVER (PARTITION BY gate ORDER BY run_id DESC, judgement DESC) AS age
        FROM mirpipe.v_gate v) recent
    WHERE age <= :limit ORDER BY gate, run_id, judgement, number, rule
""")


def gate_verdicts(*, limit: int = MAX_JUDGEMENTS) -> list[GateVerdict]:
    """Return the verdicts of the last judgements by each gate, the oldest first."""
    return read_rows(GateVerdict, _VERDICTS, limit=limit)
