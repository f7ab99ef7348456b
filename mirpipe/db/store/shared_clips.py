"""Reads the clips of two generator or captioner revisions that are equal in everything else.

Clips of two generators are compared if the caption, mode, guidance, seed and excerpt are equal.
Clips from the captions of two captioners are compared if the generator is equal instead of the
caption. Clips that the settings no longer request are included, because they are kept.
"""

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.queries.shared_best_matches import SCORE_OF_PAIR
from mirpipe.db.store.shared_answers import MetricValues, SharedAnswers, metric_values
from mirpipe.db.store.stored_revisions import StoredRevision

# If several machines generated the same clip, the first one is used, as in wanted_clip.
_PAIRED = """
    WITH clip AS MATERIALIZED (
        SELECT DISTINCT ON (plugin_id, other_id, g.target_id, g.mode, g.is_conditioned, g.guidance,
                g.seed, g.template, g.seconds, g.excerpt_id)
            {plugin} AS plugin_id, {other} AS other_id, g.target_id, g.mode, g.is_conditioned,
            g.guidance, g.seed, g.template, g.seconds, g.excerpt_id, g.track_id, t.content_sha256
        FROM mirpipe.generation g
        JOIN mirpipe.caption c ON c.caption_id = g.caption_id
        JOIN mirpipe.track t ON t.track_id = g.target_id AND t.state = 'ok'
        WHERE {plugin} IN (:old, :new) AND g.excerpt_id IS NOT NULL
        ORDER BY plugin_id, other_id, g.target_id, g.mode, g.is_conditioned, g.guidance, g.seed,
            g.template, g.seconds, g.excerpt_id, g.generation_id
    ), paired AS MATERIALIZED (
        SELECT o.target_id, o.content_sha256, o.excerpt_id, o.mode, o.guidance, o.seed,
            o.track_id AS old_id, n.track_id AS new_id
        FROM clip o
        JOIN clip n ON n.plugin_id = :new AND (n.other_id, n.target_id, n.mode, n.is_conditioned,
                n.seed, n.template, n.seconds, n.excerpt_id)
            = (o.other_id, o.target_id, o.mode, o.is_conditioned,
                o.seed, o.template, o.seconds, o.excerpt_id)
            AND n.guidance IS NOT DISTINCT FROM o.guidance
        WHERE o.plugin_id = :old
    )
"""
_CLIPS = """
    SELECT target_id, CAST(avg(CAST(old_id = new_id AS integer)) AS double precision) AS common,
        (array_agg(old_id ORDER BY old_id = new_id, mode, guidance, seed))[1] AS old_id,
        (array_agg(new_id ORDER BY old_id = new_id, mode, guidance, seed))[1] AS new_id
    FROM paired GROUP BY target_id, content_sha256 ORDER BY content_sha256, target_id
"""
_METRICS = f"""
    , metric AS MATERIALIZED (
        SELECT * FROM mirpipe.shown_metric
        WHERE spec ->> 'compares' IN ('melodies', 'notes', 'vectors') OR spec ->> 'axis' IS NOT NULL
    ), by_target AS (
        SELECT m.name, m.spec, m.is_random, p.target_id, p.content_sha256,
            avg(old_score.value) FILTER (WHERE new_score.value IS NOT NULL) AS old,
            avg(new_score.value) FILTER (WHERE old_score.value IS NOT NULL) AS new,
            count(*) FILTER (WHERE (old_score.measured AND new_score.measured) IS NOT TRUE)
                AS unmeasured_n
        FROM metric m
        CROSS JOIN paired p
        CROSS JOIN LATERAL (SELECT p.target_id, p.old_id AS reference_id, p.excerpt_id) old
        CROSS JOIN LATERAL (SELECT p.target_id, p.new_id AS reference_id, p.excerpt_id) new
        {SCORE_OF_PAIR.format(match="old", excerpt="= old.excerpt_id")}
        {SCORE_OF_PAIR.format(match="new", excerpt="= new.excerpt_id")}
        GROUP BY m.name, m.spec, m.is_random, p.target_id, p.content_sha256
    )
    SELECT name AS metric, spec ->> 'encoder' AS encoder, is_random AS random,
        CAST(spec ->> 'low' AS double precision) AS low,
        CAST(spec ->> 'high' AS double precision) AS high,
        array_agg(old ORDER BY content_sha256, target_id) AS old,
        array_agg(new ORDER BY content_sha256, target_id) AS new,
        CAST(sum(unmeasured_n) AS bigint) AS unmeasured_n
    FROM by_target GROUP BY name, spec, is_random ORDER BY name
"""


def shared_clips(connection: Connection, old: StoredRevision, new: StoredRevision) -> SharedAnswers:
    """Return the clips that both revisions have, per target."""
    rows = connection.execute(text(_paired(old) + _CLIPS), _ids(old, new)).all()
    return SharedAnswers(
        references_n=None,
        targets_n=len(rows),
        target_ids=np.array([row.target_id for row in rows], np.int64),
        old_ids=np.array([row.old_id for row in rows], np.int64),
        new_ids=np.array([row.new_id for row in rows], np.int64),
        common=np.array([row.common for row in rows], np.float64),
        old_lists=np.empty((len(rows), 0), np.int64),
        new_lists=np.empty((len(rows), 0), np.int64),
    )


def metrics_of_clips(
    connection: Connection, old: StoredRevision, new: StoredRevision
) -> list[MetricValues]:
    """Return the pair metrics and score axes of the clips: means over the clips of each target."""
    rows = connection.execute(text(_paired(old) + _METRICS), _ids(old, new))
    return [metric_values(row) for row in rows]


def _paired(revision: StoredRevision) -> str:
    plugin, other = "g.generator_id", "g.caption_id"
    if revision.kind == "captioner":
        plugin, other = "c.captioner_id", "g.generator_id"
    return _PAIRED.format(plugin=plugin, other=other)


def _ids(old: StoredRevision, new: StoredRevision) -> dict[str, int]:
    return {"old": old.plugin_id, "new": new.plugin_id}
