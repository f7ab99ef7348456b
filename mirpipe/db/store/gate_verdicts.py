"""Stores the verdicts of gates, and the verdict that was last announced."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

# A rule that has the same result as before keeps its time.
_COLUMNS = "number, kind, verdict, value, low, high, at_least, at_most, n, detail"
_WRITE = text(f"""
    INSERT INTO mirpipe.gate_verdict AS old (gate, run_id, judgement, rule, {_COLUMNS})
    SELECT :gate, :run_id, :judgement, rule, {_COLUMNS}
    FROM jsonb_populate_recordset(CAST(NULL AS mirpipe.gate_verdict), CAST(:rows AS jsonb))
    ORDER BY rule
    ON CONFLICT (gate, run_id, judgement, rule) DO UPDATE SET ({_COLUMNS}, judged_at) =
        (excluded.number, excluded.kind, excluded.verdict, excluded.value, excluded.low,
        excluded.high, excluded.at_least, excluded.at_most, excluded.n, excluded.detail, now())
    WHERE (old.number, old.kind, old.verdict, old.value, old.low, old.high, old.at_least,
        old.at_most, old.n, old.detail) IS DISTINCT FROM (excluded.number, excluded.kind,
        excluded.verdict, excluded.value, excluded.low, excluded.high, excluded.at_least,
        excluded.at_most, excluded.n, excluded.detail)
""")
_DELETE_OTHERS = text("""
    DELETE FROM mirpipe.gate_verdict
    WHERE (gate, run_id, judgement) = (:gate, :run_id, :judgement) AND rule <> ALL(:rules)
""")
_LAST_JUDGEMENT = text("""
    SELECT judgement, rule, kind, at_least, at_most, verdict FROM mirpipe.gate_verdict
    WHERE gate = :gate AND run_id = :run_id
      AND judgement = (SELECT max(judgement) FROM mirpipe.gate_verdict
          WHERE gate = :gate AND run_id = :run_id)
""")
_ANNOUNCED = text("SELECT verdict FROM mirpipe.gate_notice WHERE gate = :gate")
_ANNOUNCE = text("""
    INSERT INTO mirpipe.gate_notice (gate, verdict) VALUES (:gate, :verdict)
    ON CONFLICT (gate) DO UPDATE SET verdict = excluded.verdict, announced_at = now()
""")


def replace(
    connection: Connection, gate: str, run_id: int, verdicts: Sequence[dict[str, Any]]
) -> None:
    """Store these verdicts of a gate on a run. Each is a dictionary of values by column name.

    If the same rules had another verdict before, the earlier verdicts are kept, and these are the
    next judgement of the run: pending work or the age of the results has changed. Otherwise, they
    replace the last judgement, and rules that no longer exist are deleted. Equal verdicts change
    nothing.
    """
    rows = [{"number": number, **row} for number, row in enumerate(verdicts, start=1)]
    key: dict[str, Any] = {"gate": gate, "run_id": run_id}
    last = [dict(row) for row in connection.execute(_LAST_JUDGEMENT, key).mappings()]
    key["judgement"] = last[0]["judgement"] if last else 1
    if _verdicts_by_rule(last).keys() == _verdicts_by_rule(rows).keys():
        key["judgement"] += _verdicts_by_rule(last) != _verdicts_by_rule(rows)
    connection.execute(_DELETE_OTHERS, key | {"rules": [row["rule"] for row in rows]})
    connection.execute(_WRITE, key | {"rows": json.dumps(rows, allow_nan=False)})


def _verdicts_by_rule(rows: Sequence[dict[str, Any]]) -> dict[tuple[Any, ...], str]:
    """Return the verdict of each rule, by the rule with its kind and limits."""
    columns = ("rule", "kind", "at_least", "at_most")
    return {tuple(row[name] for name in columns): row["verdict"] for row in rows}


def announced_verdict(connection: Connection, gate: str) -> str | None:
    """Return the verdict that was last announced, or None if there is none."""
    verdict = connection.execute(_ANNOUNCED, {"gate": gate}).scalar_one_or_none()
    return None if verdict is None else str(verdict)


def record_announcement(connection: Connection, gate: str, verdict: str) -> None:
    """Record that this verdict was announced now."""
    connection.execute(_ANNOUNCE, {"gate": gate, "verdict": verdict})
