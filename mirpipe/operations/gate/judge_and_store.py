"""Judges a gate on the latest run, and stores the verdicts."""

from dataclasses import asdict, dataclass
from pathlib import Path

from mirpipe.db import queries
from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.store import gate_verdicts
from mirpipe.operations.gate.gate_file import read_gate
from mirpipe.operations.gate.judge import judge
from mirpipe.operations.gate.verdicts import RuleVerdict, Verdict, overall


@dataclass(frozen=True)
class GateResult:
    """The verdicts of a gate on the latest run."""

    gate: str
    """Name of the gate: the name of its file without the extension."""
    run_id: int | None
    """The judged run. None if there is no run yet; then nothing is stored."""
    verdict: Verdict
    """Verdict of the complete gate."""
    rules: list[RuleVerdict]
    """Verdict of each rule, in the order of the file."""


def judge_and_store(path: Path) -> GateResult:
    """Judge the rules in a file on the latest run, and replace the stored verdicts on this run.

    No report can publish a run at the same time, so all rules see the same run. Raises
    ConfigurationError if the file has a fault.
    """
    gate, name = read_gate(path), path.stem
    with hold_lock("report"):
        run = queries.latest_run()
        verdicts = judge(gate, run)
        if run is not None:
            with engine("app").begin() as connection:
                gate_verdicts.replace(
                    connection, name, run.run_id, [asdict(each) for each in verdicts]
                )
    run_id = None if run is None else run.run_id
    return GateResult(name, run_id, overall(each.verdict for each in verdicts), verdicts)
