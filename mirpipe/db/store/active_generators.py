"""Makes generator revisions active, whose clips enter the results.

Until a new revision has its clips, those of the old revision are shown. Otherwise, the results
about clips would be empty while the new clips are generated.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.db.store.active_revisions import SUFFICIENT_COVERAGE


@dataclass(frozen=True)
class CompleteGenerator:
    """A revision that is complete and not active, and the active revision of the same generator."""

    generator_id: int
    active_id: int


_ACTIVATE_FIRST = text("""
    INSERT INTO mirpipe.serving_generator (name, generator_id)
    SELECT g.name, g.generator_id FROM mirpipe.generator g WHERE g.wanted
    ON CONFLICT (name) DO NOTHING
""")
_COMPLETE = text("""
    SELECT g.generator_id, s.generator_id AS active_id
    FROM mirpipe.generator g
    JOIN mirpipe.serving_generator s ON s.name = g.name AND s.generator_id <> g.generator_id
    WHERE g.wanted
      AND NOT EXISTS (
        SELECT FROM mirpipe.pending_generation p WHERE p.generator_id = g.generator_id)
      AND (
        SELECT avg(CAST(n.generation_id IS NOT NULL AS integer))
                FILTER (WHERE n.generator_id = g.generator_id)
            >= least(:sufficient_coverage, avg(CAST(n.generation_id IS NOT NULL AS integer))
                FILTER (WHERE n.generator_id = s.generator_id))
        FROM mirpipe.wanted_clip n WHERE n.generator_id IN (g.generator_id, s.generator_id))
      AND NOT EXISTS (
        SELECT FROM mirpipe.wanted_clip n
        WHERE n.generator_id = g.generator_id AND n.track_id IN (
            SELECT track_id FROM mirpipe.pending_embedding
            UNION ALL SELECT track_id FROM mirpipe.pending_melody
            UNION ALL SELECT track_id FROM mirpipe.pending_feature
            UNION ALL SELECT track_id FROM mirpipe.pending_track_score
            UNION ALL SELECT reference_id FROM mirpipe.pending_pair))
    ORDER BY g.name
""")
_HAS_CLIPS = text(
    "SELECT EXISTS (SELECT FROM mirpipe.generation WHERE generator_id = :generator_id)"
)
# As for encoders, the retention time of the replaced revision starts now.
_MAKE_ACTIVE = text("""
    WITH replaced AS (
        UPDATE mirpipe.generator o SET unwanted_at = now()
        FROM mirpipe.serving_generator s JOIN mirpipe.generator g USING (name)
        WHERE g.generator_id = :generator_id AND o.generator_id = s.generator_id
          AND o.generator_id <> g.generator_id AND NOT o.wanted)
    INSERT INTO mirpipe.serving_generator AS s (name, generator_id)
    SELECT g.name, g.generator_id FROM mirpipe.generator g WHERE g.generator_id = :generator_id
    ON CONFLICT (name) DO UPDATE SET generator_id = excluded.generator_id
    WHERE s.generator_id <> excluded.generator_id
""")


def activate_complete_generators(
    connection: Connection, *, takes_over: Callable[[Connection, CompleteGenerator], bool]
) -> None:
    """Make configured revisions active: complete ones, and those whose name has no active revision.

    `takes_over` decides whether a complete revision replaces the active one.
    """
    connection.execute(_ACTIVATE_FIRST)
    for challenger in complete_generators(connection):
        if takes_over(connection, challenger):
            make_generator_active(connection, challenger.generator_id)


def complete_generators(connection: Connection) -> list[CompleteGenerator]:
    """Return the configured revisions that are complete but not active, sorted by name.

    A revision is complete if no clip is pending, if all stages have processed its clips, and if it
    has 95 % of the requested clips, or as large a share as the active revision.
    """
    rows = connection.execute(_COMPLETE, {"sufficient_coverage": SUFFICIENT_COVERAGE})
    return [CompleteGenerator(*row) for row in rows]


def has_clips(connection: Connection, generator_id: int) -> bool:
    """Return whether a clip of this revision is stored."""
    return bool(connection.execute(_HAS_CLIPS, {"generator_id": generator_id}).scalar_one())


def make_generator_active(connection: Connection, generator_id: int) -> None:
    """Use the clips of this revision in the results instead of those of the active one.

    The clips of the replaced revision are kept for the retention time of clips.
    """
    connection.execute(_MAKE_ACTIVE, {"generator_id": generator_id})
