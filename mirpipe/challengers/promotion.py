"""Decides whether a complete new revision replaces the active one by itself."""

from sqlalchemy import Connection

from mirpipe.challengers.compare_revisions import compare_revisions
from mirpipe.db.store.active_revisions import CompleteChallenger
from mirpipe.db.store.stored_revisions import stored_revisions
from mirpipe.settings import settings


def takes_over(connection: Connection, challenger: CompleteChallenger) -> bool:
    """Return whether the settings let the challenger replace the active revision."""
    chosen = settings()
    if chosen.promotion != "not_worse":
        return chosen.promotion == "complete"
    revisions = {each.plugin_id: each for each in stored_revisions(connection, "encoder")}
    comparison = compare_revisions(
        connection,
        revisions[challenger.active_id],
        revisions[challenger.encoder_id],
        margins=chosen.judged_margins,
        primary_metric=chosen.primary_retrieval_metric,
        same_recording_counts=chosen.same_recording_counts,
    )
    return comparison.verdict in ("better", "not worse")
