"""Removes clips whose generator, captioner or target was replaced or removed long ago.

Clips of listening tests are kept as long as their target exists, because people can still vote on
them.
"""

from sqlalchemy import Connection, text

from mirpipe.db.store.retention_rules import REMOVED_TRACK, REPLACED, condition_of
from mirpipe.files.addresses import Address, parse_address

BLOCK_CLIPS = 100
"""Largest number of clips that one transaction removes."""

_UNUSED = f"""
    FROM mirpipe.generation g
    WHERE (
        EXISTS (SELECT FROM mirpipe.generator r
            WHERE r.generator_id = g.generator_id AND {REPLACED.format(row="r")}
            AND NOT EXISTS (SELECT FROM mirpipe.serving_generator s
                JOIN mirpipe.generator n ON n.name = s.name AND n.wanted
                WHERE s.generator_id = r.generator_id))
        OR EXISTS (SELECT FROM mirpipe.caption c JOIN mirpipe.captioner k USING (captioner_id)
            WHERE c.caption_id = g.caption_id AND {REPLACED.format(row="k")}
            AND k.captioner_id NOT IN (SELECT a.captioner_id FROM mirpipe.active_captioner a)))
        AND (g.target_id, g.track_id) NOT IN (
            SELECT q.target_id, q.first_id FROM mirpipe.listening_question q
            UNION ALL SELECT q.target_id, q.second_id FROM mirpipe.listening_question q
            WHERE q.second_id IS NOT NULL)
    OR EXISTS (SELECT FROM mirpipe.track t
        WHERE t.track_id = g.target_id AND {REMOVED_TRACK})
"""
_DELETE = f"""
    DELETE FROM mirpipe.generation WHERE generation_id IN (
        SELECT g.generation_id {_UNUSED} ORDER BY g.generation_id LIMIT {BLOCK_CLIPS})
    RETURNING track_id
"""
# Two generations can have the same clip.
_MARK_FILES_GONE = text("""
    UPDATE mirpipe.track_file f SET gone_at = now()
    WHERE f.track_id = ANY(:track_ids) AND f.gone_at IS NULL
      AND NOT EXISTS (SELECT FROM mirpipe.generation g WHERE g.track_id = f.track_id)
""")
_MARK_TRACKS_GONE = text("""
    UPDATE mirpipe.track t SET state = 'gone', changed_at = now()
    WHERE t.track_id = ANY(:track_ids) AND t.state = 'ok'
      AND NOT EXISTS (SELECT FROM mirpipe.generation g WHERE g.track_id = t.track_id)
""")
_REMOVED_AUDIO = text("""
    SELECT f.path FROM mirpipe.track_file f
    WHERE f.collection = 'generated' AND f.gone_at IS NOT NULL ORDER BY f.path
""")


def count_clips(connection: Connection, days: int | None) -> int:
    """Return the number of clips that would be removed."""
    unused = condition_of(_UNUSED, days)
    if unused is None:
        return 0
    return int(connection.execute(text(f"SELECT count(*) {unused}")).scalar_one())


def remove_clips(connection: Connection, days: int | None) -> int:
    """Delete the rows of up to BLOCK_CLIPS clips, and mark their tracks and files as gone.

    Returns the number of clips. The audio is deleted later, by `removed_audio`.
    """
    delete = condition_of(_DELETE, days)
    if delete is None:
        return 0
    track_ids = sorted(connection.execute(text(delete)).scalars())
    for statement in (_MARK_FILES_GONE, _MARK_TRACKS_GONE):
        connection.execute(statement, {"track_ids": track_ids})
    return len(track_ids)


def removed_audio(connection: Connection) -> list[Address]:
    """Return the audio files of removed clips. They may already be deleted."""
    return [parse_address(bytes(row.path)) for row in connection.execute(_REMOVED_AUDIO)]
