"""Configured plug-ins that cannot run on this machine."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.settings import settings


@dataclass(frozen=True)
class UnavailablePlugin:
    """A configured plug-in that cannot run on this machine. It is left out of runs."""

    kind: str
    """Kind of the plug-in: encoder, metric, captioner or generator."""
    name: str
    reason: str
    """Short reason code, such as weights_missing."""
    message: str
    """Cause and remedy, as a message for the user."""


_UNAVAILABLE_PLUGINS = text("""
    SELECT kind, name, reason, message FROM (
        SELECT split_part(subject, ':', 1) AS kind,
            substr(subject, strpos(subject, ':') + 1) AS name, reason, message
        FROM mirpipe.v_failure) ledger
    WHERE kind IN ('encoder', 'metric', 'captioner', 'generator')
    ORDER BY array_position(CAST(:plugin_order AS text[]), name), kind, name
""")


def unavailable_plugins() -> list[UnavailablePlugin]:
    """Return the configured plug-ins that cannot run on this machine, in settings order."""
    plugin_order = [*settings().encoders, *settings().metrics]
    return read_rows(UnavailablePlugin, _UNAVAILABLE_PLUGINS, plugin_order=plugin_order)
