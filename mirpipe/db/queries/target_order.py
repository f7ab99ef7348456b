"""The targets of a page with one column or row per target: searched, filtered and sorted."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import TextClause, text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_list import TrackFilter, conditions, parameters

ORDERS = ("title", "lowest first", "highest first")
"""Orders of the targets: by title, or by their mean score, worst or best first."""


@dataclass(frozen=True)
class _Id:
    track_id: int


@dataclass(frozen=True)
class _LabelValue:
    value: str


# The mean z of a target's best matches by all encoders.
_MATCHED = """
    SELECT s.target_id, avg((s.cosine - b.background_mean) / nullif(b.background_sd, 0)) AS score
    FROM mirpipe.served_neighbour s
    LEFT JOIN mirpipe.run_target b ON b.run_id = (SELECT max(run_id) FROM mirpipe.run)
        AND (b.encoder_id, b.target_id) = (s.encoder_id, s.target_id)
    WHERE s.to_run IS NULL AND coalesce(s.counted_rank, 1) = 1
    GROUP BY s.target_id
"""
_WITH_CLIPS_ONLY = """
    SELECT DISTINCT target_id, 0 AS score FROM mirpipe.wanted_clip
    WHERE is_shown AND generation_id IS NOT NULL
"""
# The mean of one metric over a target's clips in all modes. The scores of other metrics are not
# read. Targets whose clips have no score by the metric are listed, too.
_WITH_CLIPS = f"""
    SELECT c.target_id, v.score FROM ({_WITH_CLIPS_ONLY}) c LEFT JOIN (
        SELECT target_id, avg(value) AS score FROM mirpipe.v_generation_score
        WHERE metric = :metric GROUP BY target_id) v USING (target_id)
"""
# The scores are materialized, so that they are not computed again for each target.
_ORDER = """
    WITH s AS MATERIALIZED ({scores})
    SELECT t.track_id FROM mirpipe.track t JOIN s ON s.target_id = t.track_id
    WHERE t.collection = 'target' AND t.state = 'ok' AND {conditions}
        AND (CAST(:genre AS text) IS NULL OR t.genres @> ARRAY[CAST(:genre AS text)])
        AND (CAST(:instrument AS text) IS NULL OR t.labels ->> 'instrument' = :instrument)
    ORDER BY {order} t.title, t.content_sha256
"""
_SQL_ORDERS = {
    "title": "",
    "lowest first": "s.score NULLS LAST,",
    "highest first": "s.score DESC NULLS LAST,",
}
_LABEL_VALUES = text("""
    SELECT DISTINCT value FROM (
        SELECT unnest(genres) AS value FROM mirpipe.track
        WHERE :label = 'genre' AND collection = 'target' AND state = 'ok'
        UNION ALL
        SELECT labels ->> 'instrument' FROM mirpipe.track
        WHERE :label = 'instrument' AND collection = 'target' AND state = 'ok') v
    WHERE value <> '' ORDER BY value LIMIT 1000
""")


def target_order(
    metric: str | None = None,
    *,
    search: str = "",
    labels: Mapping[str, str] | None = None,
    order: str = "title",
) -> list[int]:
    """Return the ids of the targets with matches, or, with `metric`, of those with clips.

    `search` contains words of the title, the labels or a path, `labels` the genre and the
    instrument of the targets, and `order` is one of `ORDERS`. The score of a target is the mean z
    of its best matches by all encoders, or the mean of the metric over its clips.
    """
    chosen, wanted = TrackFilter(search=search), labels or {}
    rows = read_rows(
        _Id,
        _query(chosen, order, with_clips=metric is not None),
        metric=metric,
        genre=wanted.get("genre"),
        instrument=wanted.get("instrument"),
        **parameters(chosen),
    )
    return [row.track_id for row in rows]


def _query(chosen: TrackFilter, order: str, *, with_clips: bool) -> TextClause:
    clips = _WITH_CLIPS_ONLY if order == "title" else _WITH_CLIPS
    query = _ORDER.format(
        scores=clips if with_clips else _MATCHED,
        conditions=conditions(chosen),
        order=_SQL_ORDERS[order],
    )
    return text(query)


def target_label_values(label: str) -> list[str]:
    """Return the values of "genre" or "instrument" of all usable targets, sorted, at most 1,000."""
    return [row.value for row in read_rows(_LabelValue, _LABEL_VALUES, label=label)]
