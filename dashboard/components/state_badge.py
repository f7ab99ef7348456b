"""A badge with the state of a track that cannot be used or has no audio."""

from markupsafe import Markup

from dashboard.components import markup
from dashboard.components.metric_labels import reason_text


def state_badge(state: str, reason: str, *, has_audio: bool) -> Markup:
    """Return a badge with the state and the reason, or nothing for a usable track with audio."""
    if state == "ok":
        return Markup("") if has_audio else markup.badge("no audio")
    return markup.badge(f"{state}: {reason_text(reason)}" if reason else state)
