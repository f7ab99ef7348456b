"""The verdicts of gates on past runs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows

MAX_RUNS = 100
"""Number of judged runs per gate whose verdicts are returned."""


@dataclass(frozen=True)
class GateVerdict:
    """The verdict of one rule of a gate on one run. A value that is not measured is None."""

    gate: str
    """Name of the gate: the name of its file without the extension."""
    run_id: int
    finished_at: datetime
    """Time at which the run was published, with its time zone."""
    rule: str
    verdict: str
    """passed, failed or undecided."""
    value: float | None
    low: float | None
    """Lower end of the value's 95 % interval. None for a count, or if there is no interval."""
    high: float | None
    """Upper end of the value's 95 % interval. None for a count, or if there is no interval."""
    at_least: float | None
    """Lower limit. For a change, minus the margin."""
    at_most: float | None
    """Upper limit."""
    detail: str
    """What was measured, and why the rule is undecided, as sentences."""


def limit_text(at_least: float | None, at_most: float | None) -> str:
    """Return the limits of a rule as text, such as "≥ 0.3, ≤ 0.8". Empty if there are none."""
    limits = (("≥", at_least), ("≤", at_most))
    return ", ".join(f"{sign} {bound:g}" for sign, bound in limits if bound is not None)


_VERDICTS = text("""
    SELECT gate, run_id, finished_at, rule, verdict, value, low, high, at_least, at_most, detail
    FROM (SELECT v.*, dense_rank() OVER (PARTITION BY gate ORDER BY run_id DESC) AS age
        FROM mirpipe.v_gate v) recent
    WHERE age <= :limit ORDER BY gate, run_id, number, rule
""")


def gate_verdicts(*, limit: int = MAX_RUNS) -> list[GateVerdict]:
    """Return the verdicts on the last judged runs of each gate, oldest run first."""
    return read_rows(GateVerdict, _VERDICTS, limit=limit)
