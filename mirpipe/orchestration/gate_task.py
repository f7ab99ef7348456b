"""The task that judges the gate, and sends a message if its verdict has changed.

The task succeeds whatever the verdict is. The results of the run stay available, and a gate that
fails every night sends one message and not one per night.
"""

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.notifier import BaseNotifier

from mirpipe.db.engine import engine
from mirpipe.db.store import gate_verdicts
from mirpipe.orchestration.message_receivers import send_message
from mirpipe.orchestration.stage_subprocess import Counts, run_stage
from mirpipe.settings import settings

if TYPE_CHECKING:
    from airflow.sdk import Context

_log = logging.getLogger("mirpipe.gate")


class GateMessage(BaseNotifier):
    """Sends a message if the verdict differs from the last announced one. The first one is passed.

    The verdict is recorded after the message was sent to all addresses. If the process is killed in
    between, or if an address cannot be reached, the message is sent twice rather than never. So the
    task calls this notifier before it succeeds: a callback runs only after that, and Airflow does
    not repeat it.
    """

    def __init__(self, result: dict[str, Any]) -> None:
        """Take the result of `mirpipe gate --json`."""
        super().__init__()
        self.result = result

    def notify(self, context: "Context") -> None:  # noqa: ARG002 - the results name the run
        """Send the message to all addresses if the verdict is new, and record it."""
        gate, verdict = self.result["gate"], self.result["verdict"]
        with engine("app").begin() as connection:
            previous = gate_verdicts.announced_verdict(connection, gate) or "passed"
        if verdict == previous:
            return
        lines = [
            f"Run {self.result['run_id']}: the verdict was {previous} and is now {verdict}.",
            *(
                f"{rule['rule']}: {rule['verdict']}. {rule['detail']}"
                for rule in self.result["rules"]
                if rule["verdict"] != "passed"
            ),
        ]
        if not send_message(f"mirpipe: gate {gate} {verdict}", "\n".join(lines), log=self.log):
            return
        with engine("app").begin() as connection:
            gate_verdicts.record_announcement(connection, gate, verdict)


def judge_gate(context: "Context") -> Counts:
    """Judge the gate in the setting `gate`, announce a new verdict, and return it with the run.

    Raises StageFailed if the gate could not be judged, for example because its file has a fault.
    """
    result = run_stage("gate", str(settings().gate))
    for rule in result["rules"]:
        _log.info("%s: %s. %s", rule["rule"], rule["verdict"], rule["detail"])
    if settings().notify:
        GateMessage(result)(context)
    return {name: result[name] for name in ("gate", "verdict", "run_id")}
