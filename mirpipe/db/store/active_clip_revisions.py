"""Makes revisions of generators and captioners active, whose clips enter the results.

Until a new revision has its clips, those of the old revision are shown. Otherwise, the results
about clips would be empty while the new clips are generated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, text

from mirpipe.db.store.active_revisions import SUFFICIENT_COVERAGE

ClipPlugin = Literal["generator", "captioner"]


@dataclass(frozen=True)
class CompleteClips:
    """A revision that is complete and not active, and the active revision of the same plug-in."""

    kind: ClipPlugin
    plugin_id: int
    active_id: int


_ACTIVATE_FIRST = """
    INSERT INTO mirpipe.serving_{kind} (name, {kind}_id)
    SELECT p.name, p.{kind}_id FROM mirpipe.{kind} p WHERE p.wanted
    ON CONFLICT (name) DO NOTHING
"""
# Planning the query of complete revisions takes 30 ms, and few runs have a new revision.
_HAS_NEW = """
    SELECT EXISTS (
        SELECT FROM mirpipe.{kind} p JOIN mirpipe.serving_{kind} s USING (name)
        WHERE p.wanted AND s.{kind}_id <> p.{kind}_id)
"""
# Only clips by the active revision of the other plug-in could be shown, so the others do not count.
_COMPLETE = """
    SELECT r.{kind}_id AS plugin_id, s.{kind}_id AS active_id
    FROM mirpipe.{kind} r
    JOIN mirpipe.serving_{kind} s ON s.name = r.name AND s.{kind}_id <> r.{kind}_id
    WHERE r.wanted {has_captions} AND (
      NOT EXISTS (
        SELECT FROM mirpipe.wanted_clip n WHERE n.is_shown AND n.generation_id IS NOT NULL)
      OR NOT EXISTS (
        SELECT FROM mirpipe.pending_generation p
        WHERE p.{kind}_id = r.{kind}_id AND p.is_{other}_active)
      AND (
        SELECT avg(CAST(n.generation_id IS NOT NULL AS integer))
                FILTER (WHERE n.{kind}_id = r.{kind}_id)
            >= least(:sufficient_coverage, avg(CAST(n.generation_id IS NOT NULL AS integer))
                FILTER (WHERE n.{kind}_id = s.{kind}_id))
        FROM mirpipe.wanted_clip n
        WHERE n.{kind}_id IN (r.{kind}_id, s.{kind}_id) AND n.is_{other}_active)
      AND NOT EXISTS (
        SELECT FROM mirpipe.wanted_clip n
        WHERE n.{kind}_id = r.{kind}_id AND n.is_{other}_active AND n.track_id IN (
            SELECT track_id FROM mirpipe.pending_embedding
            UNION ALL SELECT track_id FROM mirpipe.pending_melody
            UNION ALL SELECT track_id FROM mirpipe.pending_feature
            UNION ALL SELECT track_id FROM mirpipe.pending_track_score
            UNION ALL SELECT reference_id FROM mirpipe.pending_pair)))
    ORDER BY r.name
"""
_HAS_CAPTIONS = """
    AND NOT EXISTS (SELECT FROM mirpipe.pending_caption p WHERE p.captioner_id = r.captioner_id)
    AND NOT EXISTS (
        SELECT FROM mirpipe.pending_caption_embedding p JOIN mirpipe.caption c USING (caption_id)
        WHERE c.captioner_id = r.captioner_id)
    AND (
        SELECT avg(CAST(has_new AS integer))
            >= least(:sufficient_coverage, avg(CAST(has_old AS integer)))
        FROM mirpipe.track t
        CROSS JOIN LATERAL (SELECT
            EXISTS (SELECT FROM mirpipe.caption c
                WHERE (c.captioner_id, c.track_id) = (r.captioner_id, t.track_id)) AS has_new,
            EXISTS (SELECT FROM mirpipe.caption c
                WHERE (c.captioner_id, c.track_id) = (s.captioner_id, t.track_id)) AS has_old) c
        WHERE t.collection = 'target' AND t.state = 'ok')
"""
_HAS_RESULTS: dict[ClipPlugin, str] = {
    "generator": "SELECT EXISTS (SELECT FROM mirpipe.generation WHERE generator_id = :plugin_id)",
    "captioner": "SELECT EXISTS (SELECT FROM mirpipe.caption WHERE captioner_id = :plugin_id)",
}
# As for encoders, the retention time of the replaced revision starts now.
_MAKE_ACTIVE = """
    WITH replaced AS (
        UPDATE mirpipe.{kind} o SET unwanted_at = now()
        FROM mirpipe.serving_{kind} s JOIN mirpipe.{kind} p USING (name)
        WHERE p.{kind}_id = :plugin_id AND o.{kind}_id = s.{kind}_id
          AND o.{kind}_id <> p.{kind}_id AND NOT o.wanted)
    INSERT INTO mirpipe.serving_{kind} AS s (name, {kind}_id)
    SELECT p.name, p.{kind}_id FROM mirpipe.{kind} p WHERE p.{kind}_id = :plugin_id
    ON CONFLICT (name) DO UPDATE SET {kind}_id = excluded.{kind}_id
    WHERE s.{kind}_id <> excluded.{kind}_id
"""


def activate_complete_clips(
    connection: Connection, *, takes_over: Callable[[Connection, CompleteClips], bool]
) -> None:
    """Make configured revisions active: complete ones, and those whose name has no active revision.

    `takes_over` decides whether a complete revision replaces the active one. Generators come first,
    because the clips of a captioner count only if the revision of their generator is active.
    """
    kinds: tuple[ClipPlugin, ...] = ("generator", "captioner")
    for kind in kinds:
        connection.execute(text(_ACTIVATE_FIRST.format(kind=kind)))
    for kind in kinds:
        for challenger in complete_clips(connection, kind):
            if takes_over(connection, challenger):
                make_active(connection, kind, challenger.plugin_id)


def complete_clips(connection: Connection, kind: ClipPlugin) -> list[CompleteClips]:
    """Return the configured revisions that are complete but not active, sorted by name.

    A revision is complete if no clip is pending, if all stages have processed its clips, and if it
    has 95% of the requested clips, or as large a share as the active revision. A captioner needs
    the same share of captions. If no clip is in the results, clips are not needed.
    """
    if not connection.execute(text(_HAS_NEW.format(kind=kind))).scalar_one():
        return []
    other, has_captions = "captioner", ""
    if kind == "captioner":
        other, has_captions = "generator", _HAS_CAPTIONS
    query = _COMPLETE.format(kind=kind, other=other, has_captions=has_captions)
    rows = connection.execute(text(query), {"sufficient_coverage": SUFFICIENT_COVERAGE})
    return [CompleteClips(kind, *row) for row in rows]


def has_results(connection: Connection, kind: ClipPlugin, plugin_id: int) -> bool:
    """Return whether a clip by this generator, or a caption by this captioner, is stored."""
    query = text(_HAS_RESULTS[kind])
    return bool(connection.execute(query, {"plugin_id": plugin_id}).scalar_one())


def make_active(connection: Connection, kind: ClipPlugin, plugin_id: int) -> None:
    """Use the clips of this revision in the results instead of those of the active one.

    The clips of the replaced revision are kept for the retention time of clips.
    """
    connection.execute(text(_MAKE_ACTIVE.format(kind=kind)), {"plugin_id": plugin_id})
