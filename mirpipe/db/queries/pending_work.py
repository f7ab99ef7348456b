"""Pending work in each stage."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class PendingWork:
    """Work that the next run will do in one stage with one plug-in."""

    stage: str
    plugin: str
    """Name of the encoder, metric, captioner or generator that does the work."""
    revision: str
    """Revision of the plug-in. Empty for the stage evaluate."""
    items: int
    """Number of pending tracks, pairs, captions or clips."""


_PENDING_WORK = text("""
    SELECT stage, plugin, revision, items FROM mirpipe.v_pending
    ORDER BY array_position(
        ARRAY['embed', 'score', 'analyse', 'retrieve', 'evaluate', 'caption', 'embed captions',
            'generate'],
        stage), plugin
""")


def pending_work() -> list[PendingWork]:
    """Return the work that the next run will do, in stage order.

    The list is empty if all results are up to date.
    """
    return read_rows(PendingWork, _PENDING_WORK)
