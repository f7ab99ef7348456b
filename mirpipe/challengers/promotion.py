"""Decides whether a complete new revision replaces the active one."""

from sqlalchemy import Connection

from mirpipe.db.store.active_revisions import CompleteChallenger
from mirpipe.settings import settings


def takes_over(_connection: Connection, _challenger: CompleteChallenger) -> bool:
    """Return whether the settings let the challenger replace the active revision by itself."""
    return settings().promotion == "complete"
