"""The task that judges the gate, and sends a message if its verdict has changed.

The task succeeds whatever the verdict is. The results of the run stay available, and a gate that
fails every night sends one message and not one per night.
"""

import logging
from collections.abc import Sequence
from typing import Any

from mirpipe.db.engine import engine
from mirpipe.db.store import gate_verdicts
from mirpipe.orchestration.message_receivers import send_message
from mirpipe.orchestration.stage_subprocess import Counts, run_stage
from mirpipe.settings import settings

_log = logging.getLogger("mirpipe.gate")


def judge_gate() -> Counts:
    """Judge the gate in the setting `gate`, announce a new verdict, and return it with the run.

    Raises StageFailed if the gate could not be judged, for example because its file has a fault.
    """
    result = run_stage("gate", str(settings().gate))
    for rule in result["rules"]:
        _log.info("%s: %s. %s", rule["rule"], rule["verdict"], rule["detail"])
    if settings().notify:
        _announce(result["gate"], result["verdict"], result["run_id"], result["rules"])
    return {name: result[name] for name in ("gate", "verdict", "run_id")}


def _announce(gate: str, verdict: str, run_id: int | None, rules: Sequence[dict[str, Any]]) -> None:
    """Send a message if the verdict differs from the last announced one. The first one is passed.

    The verdict is recorded after the message was sent to all addresses. If the process is killed in
    between, or if an address cannot be reached, the message is sent twice rather than never.
    """
    with engine("app").begin() as connection:
        previous = gate_verdicts.announced_verdict(connection, gate) or "passed"
    if verdict == previous:
        return
    causes = [
        f"{rule['rule']}: {rule['verdict']}. {rule['detail']}"
        for rule in rules
        if rule["verdict"] != "passed"
    ]
    body = "\n".join([f"Run {run_id}: the verdict was {previous} and is now {verdict}.", *causes])
    if not send_message(f"mirpipe: gate {gate} {verdict}", body, log=_log):
        return
    with engine("app").begin() as connection:
        gate_verdicts.record_announcement(connection, gate, verdict)
