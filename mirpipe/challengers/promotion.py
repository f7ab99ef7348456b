"""Decides whether a complete new revision replaces the active one by itself."""

from sqlalchemy import Connection

from mirpipe.challengers.compare_revisions import compare_revisions
from mirpipe.challengers.judge_challenger import store_verdict
from mirpipe.db.store.active_clip_revisions import CompleteClips
from mirpipe.db.store.active_revisions import CompleteChallenger
from mirpipe.db.store.stored_revisions import Kind, stored_revisions
from mirpipe.settings import settings


def encoder_takes_over(connection: Connection, challenger: CompleteChallenger) -> bool:
    """Return whether the settings let the encoder revision replace the active one."""
    return _takes_over(connection, "encoder", challenger.active_id, challenger.encoder_id)


def clips_take_over(connection: Connection, challenger: CompleteClips) -> bool:
    """Return whether the settings let the revision replace the active one."""
    return _takes_over(connection, challenger.kind, challenger.active_id, challenger.plugin_id)


def _takes_over(connection: Connection, kind: Kind, active_id: int, new_id: int) -> bool:
    chosen = settings()
    if chosen.promotion != "not_worse":
        return chosen.promotion == "complete"
    revisions = {each.plugin_id: each for each in stored_revisions(connection, kind)}
    comparison = compare_revisions(
        connection,
        revisions[active_id],
        revisions[new_id],
        margins=chosen.margins(kind),
        primary_metric=chosen.primary_metric(kind),
        same_recording_counts=chosen.same_recording_counts,
    )
    store_verdict(connection, comparison)
    return comparison.verdict in ("better", "not worse")
