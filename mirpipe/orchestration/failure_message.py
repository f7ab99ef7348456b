"""Sends a message when a DAG run has failed, to the addresses in the setting `notify`."""

from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.notifier import BaseNotifier

from mirpipe.settings import settings

if TYPE_CHECKING:
    from airflow.sdk import Context


class FailureMessage(BaseNotifier):
    """Sends the message to all addresses."""

    def notify(self, context: "Context") -> None:
        """Send the message to all addresses, even if it cannot be sent to one of them."""
        from mirpipe.orchestration.message_receivers import send_message

        send_message(_title(context), _body(context), log=self.log)


def callbacks() -> dict[str, Any]:
    """Return the arguments of a DAG that make it report failed runs, if addresses are set."""
    return {"on_failure_callback": FailureMessage()} if settings().notify else {}


def _title(context: "Context") -> str:
    return f"mirpipe: {context['dag'].dag_id} failed"


def _body(context: "Context") -> str:
    return (
        f"The run {context['run_id']} has failed. Airflow shows the failed tasks and their logs. "
        "All tasks that do not depend on them have run, and the next run continues the work."
    )
