"""Makes a revision of a plug-in active by hand, and publishes its results."""

from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.challengers.find_revision import find_revision
from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.store import active_clip_revisions, active_revisions
from mirpipe.db.store.stored_revisions import StoredRevision, stored_revisions
from mirpipe.errors import ConfigurationError
from mirpipe.settings import settings
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve


@dataclass(frozen=True)
class Promotion:
    """The revision that is active now, and the run that shows its results."""

    plugin: str
    revision: str
    previous: str | None
    """Revision that was active before. None if there was none."""
    run_id: int
    published: bool
    """Whether the run is new. False if the results are the same as before."""


def promote(name: str, *, incomplete: bool = False) -> Promotion:
    """Make a revision active, update the neighbour lists of an encoder, and publish a run.

    `name` is an encoder, captioner or generator, whose configured revision is then meant, or
    `NAME@REVISION`. If the command is killed, it can be run again. Raises ConfigurationError if
    there is no such revision, if it is not complete and `incomplete` is false, or if the configured
    revision would replace it.
    """
    with engine("app").connect() as connection:
        revisions = stored_revisions(connection)
    revision = find_revision(name, revisions, configured=True)
    of_plugin = [
        each for each in revisions if (each.kind, each.name) == (revision.kind, revision.name)
    ]
    if not revision.active:
        _require_lasting(revision, of_plugin)
        # A report that runs at the same time changes the same row.
        with hold_lock("report"), engine("app").begin() as connection:
            if revision.kind == "encoder":
                _promote_encoder(connection, revision, incomplete=incomplete)
            else:
                _promote_clips(connection, revision.kind, revision, incomplete=incomplete)
    if revision.kind == "encoder":
        retrieve([revision.name])
    run = report(trigger=f"promote {revision.label}")
    previous = next((each.revision for each in of_plugin if each.active), None)
    return Promotion(revision.name, revision.revision, previous, run.run_id, run.changed)


def _promote_encoder(connection: Connection, revision: StoredRevision, *, incomplete: bool) -> None:
    active_revisions.lock_encoder(connection, revision.plugin_id)
    if not incomplete and not active_revisions.complete_challengers(connection, revision.plugin_id):
        remedy = "Run `mirpipe run` first"
        if not revision.configured:
            remedy = f"Restore the settings of {revision.name} with which it was computed and run "
            remedy += "`mirpipe run`"
        raise ConfigurationError(
            f"{revision.label} is not complete: some usable tracks have no vector by it, or are "
            f"not searched yet. {remedy}, or add --incomplete to show its matches without these "
            "tracks."
        )
    active_revisions.make_active(connection, revision.plugin_id)


def _promote_clips(
    connection: Connection,
    kind: active_clip_revisions.ClipPlugin,
    revision: StoredRevision,
    *,
    incomplete: bool,
) -> None:
    """Make a generator or captioner active. An earlier revision has all clips that it can have."""
    complete = active_clip_revisions.complete_clips(connection, kind)
    is_complete = revision.plugin_id in [each.plugin_id for each in complete]
    is_earlier = not revision.configured and active_clip_revisions.has_results(
        connection, kind, revision.plugin_id
    )
    if not (incomplete or is_complete or is_earlier):
        missing, command = "some clips are missing or have no scores yet", "mirpipe generate"
        if kind == "captioner":
            missing = "some captions, or clips from them, are missing or have no scores yet"
            command = "mirpipe caption`, `mirpipe generate"
        raise ConfigurationError(
            f"{revision.label} is not complete: {missing}. Run `{command}` and `mirpipe run` "
            "first, or add --incomplete to show only what exists."
        )
    active_clip_revisions.make_active(connection, kind, revision.plugin_id)


def _require_lasting(revision: StoredRevision, of_plugin: list[StoredRevision]) -> None:
    """Raise ConfigurationError if the next report would make the configured revision active."""
    is_other_configured = any(each.configured for each in of_plugin) and not revision.configured
    if is_other_configured and settings().promotion != "manual":
        raise ConfigurationError(
            f"Another revision of {revision.name} is configured, and would replace "
            f"{revision.label} at the next report. Set MIRPIPE_PROMOTION=manual everywhere, then "
            "try again."
        )
