"""A badge with the state of a track that cannot be used."""

from markupsafe import Markup

from dashboard.components import markup
from dashboard.components.metric_labels import reason_text


def state_badge(state: str, reason: str) -> Markup:
    """Return a badge with the state and the reason, or nothing for a usable track."""
    if state == "ok":
        return Markup("")
    return markup.badge(f"{state}: {reason_text(reason)}" if reason else state)
