"""Pending work in each stage."""

from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows

PendingStage = Literal[
    "embed", "score", "analyse", "retrieve", "evaluate", "caption", "embed captions", "generate"
]
"""The stages of v_pending, in the order in which a run executes them."""


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
    ORDER BY array_position(CAST(:stages AS text[]), stage), plugin
""")
# The plug-ins that each part of v_pending can name.
_HAS_PLUGIN = text("""
    SELECT EXISTS (
        SELECT FROM (
            SELECT s.stage, e.name FROM mirpipe.encoder e
                CROSS JOIN (VALUES ('embed'), ('retrieve'), ('embed captions')) s (stage)
            UNION ALL SELECT 'analyse', name FROM mirpipe.metric
                WHERE name IN ('melody', 'features')
            UNION ALL SELECT 'evaluate', name FROM mirpipe.metric
                WHERE spec ->> 'compares' IN ('melodies', 'notes', 'vectors')
            UNION ALL VALUES ('evaluate', 'same_recording')
            UNION ALL SELECT 'score', spec ->> 'name' FROM mirpipe.metric
                WHERE spec ->> 'axis' IS NOT NULL
            UNION ALL SELECT 'caption', name FROM mirpipe.captioner
            UNION ALL SELECT 'generate', name FROM mirpipe.generator) p (stage, plugin)
        WHERE plugin = :plugin AND (CAST(:stage AS text) IS NULL OR stage = :stage)) AS is_found
""")


@dataclass(frozen=True)
class _Found:
    is_found: bool


def pending_work() -> list[PendingWork]:
    """Return the work that the next run will do, in stage order.

    The list is empty if all results are up to date.
    """
    return read_rows(PendingWork, _PENDING_WORK, stages=list(get_args(PendingStage)))


def has_plugin(plugin: str, stage: PendingStage | None) -> bool:
    """Return whether the library knows a plug-in of this name that works in the stage.

    `stage` None is any stage. A plug-in is known once a run has used it.
    """
    [row] = read_rows(_Found, _HAS_PLUGIN, plugin=plugin, stage=stage)
    return row.is_found
