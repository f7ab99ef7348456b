"""Sends a message to the addresses in the setting `notify`."""

from typing import Any

from mirpipe.settings import settings


def send_message(title: str, body: str, *, log: Any) -> bool:
    """Send the message to all addresses, and return whether all of them have received it.

    Apprise knows Slack, e-mail, webhooks and many others. Airflow's own Apprise notifier reads the
    addresses from a connection, and does not say whether a message was sent. With this function,
    which mirpipe's notifiers call, a single setting is enough. A problem with an address is written
    to `log`, which is a logger, and does not stop the others.
    """
    from apprise import Apprise

    receivers = Apprise()
    if not receivers.add(settings().notify or ""):
        log.error("MIRPIPE_NOTIFY contains an address that is not an Apprise URL.")
    sent = bool(receivers.notify(title=title, body=body))
    if not sent:
        log.error("The message %r could not be sent to all addresses.", title)
    return sent
