"""Reads the values of every metric as series, for the best matches and for the clips."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.music.metrics.metric_ranges import Range, metric_range
from mirpipe.records import Bool, Float64, Int64


@dataclass(frozen=True)
class Source:
    """The source of a series: the best matches of an encoder, or the clips of a mode."""

    encoder_id: int | None = None
    generator_id: int | None = None
    mode: str | None = None
    guidance: float | None = None
    sort_key: tuple[Any, ...] = ()
    """Key that decides the order of two compared sources: the one with the higher key comes first.

    The key of an encoder is its name. The key of a mode consists of whether it is conditioned, its
    guidance and its name.
    """


@dataclass(frozen=True)
class MeasuredBy:
    """The revision of the metric, or of the encoder, that computed the values of clips."""

    revision: str
    licence_weights: str
    """Licence of the weights."""
    random: bool
    """Whether the weights are random."""


@dataclass(frozen=True)
class Series:
    """The values of one metric for one source.

    The values are sorted by the content hash of the target, and then by seed.
    """

    source: Source
    metric: str
    metric_id: int | None
    """Metric revision, for matches. None if the encoder itself gives the value, such as z."""
    licences: tuple[str, ...]
    """Licences of the weights that the values depend on."""
    random: bool
    """Whether the values depend on random weights."""
    measured_by: MeasuredBy | None
    """Revision that computed the values, for clips. None for matches, which have `metric_id`."""
    target_ids: Int64
    """Target id of each value, shape (n,). The values of a target are next to each other."""
    values: Float64
    """Values, shape (n,). NaN if a value is undefined or not measured."""
    range: Range
    """Lowest and highest possible value of the metric."""
    same_recording_ns: Int64
    """Number of matches that are left out above each value's match, shape (n,). 0 for clips."""

    def select(self, is_selected: Bool) -> "Series":
        """Return a series with only the selected values. The mask has the shape (n,)."""
        return replace(
            self,
            target_ids=self.target_ids[is_selected],
            values=self.values[is_selected],
            same_recording_ns=self.same_recording_ns[is_selected],
        )

    def target_means(self) -> tuple[Int64, Float64]:
        """Return the ids of the targets with values, and their mean values, shape (targets,)."""
        is_defined = np.isfinite(self.values)
        ids, values = self.target_ids[is_defined], self.values[is_defined]
        starts = np.flatnonzero(np.diff(ids, prepend=-1))
        if not len(starts):
            return ids, values
        counts = np.diff(starts, append=len(ids))
        return ids[starts], np.add.reduceat(values, starts) / counts


_MATCHES = text("""
    WITH best_match AS MATERIALIZED (
        SELECT e.encoder_id, e.name, t.content_sha256, m.target_id, m.same_recording_n,
            v.reference_id, v.cosine, v.z, v.percentile, v.melodic,
            coalesce(e.spec ->> 'licence_weights', '') AS licence,
            e.is_random AS random
        FROM mirpipe.best_match m
        JOIN mirpipe.encoder e ON e.encoder_id = m.encoder_id
        JOIN mirpipe.track t ON t.track_id = m.target_id
        LEFT JOIN mirpipe.v_retrieval v
            ON (v.encoder, v.target_id) = (m.encoder, m.target_id) AND v.counted_rank = 1
    ), pair_metric AS (
        SELECT w.name, m.metric_id, m.spec FROM (
            SELECT 'melody_accuracy' AS name
            UNION
            SELECT k.name FROM mirpipe.shown_metric k
            WHERE EXISTS (SELECT FROM mirpipe.pair_score p WHERE p.metric_id = k.metric_id)) w
        LEFT JOIN mirpipe.shown_metric m ON m.name = w.name
    ), pair AS MATERIALIZED (
        SELECT b.encoder_id, b.target_id, m.name AS metric, m.metric_id, m.spec, p.value, b.melodic
        FROM best_match b CROSS JOIN pair_metric m
        LEFT JOIN mirpipe.pair_score p ON p.metric_id = m.metric_id
            AND p.target_id = b.target_id AND p.reference_id = b.reference_id
    ), number AS (
        SELECT b.encoder_id, b.target_id, own.metric, CAST(NULL AS integer) AS metric_id,
            CAST(NULL AS jsonb) AS spec, own.value
        FROM best_match b CROSS JOIN LATERAL (VALUES
            ('cosine', b.cosine), ('z', b.z), ('percentile', b.percentile)) own (metric, value)
        UNION ALL
        SELECT encoder_id, target_id, metric, metric_id, spec, value FROM pair
        UNION ALL
        SELECT encoder_id, target_id, 'melody_accuracy_melodic', metric_id, spec,
            CASE WHEN melodic THEN value END
        FROM pair WHERE metric = 'melody_accuracy'
        UNION ALL
        SELECT b.encoder_id, b.target_id, k.name, k.metric_id, k.spec, s.value
        FROM best_match b CROSS JOIN mirpipe.shown_metric k
        LEFT JOIN mirpipe.track_score s
            ON s.metric_id = k.metric_id AND s.track_id = b.reference_id
        WHERE k.spec ->> 'axis' IS NOT NULL
    )
    SELECT b.encoder_id, b.name, n.metric, n.metric_id, b.licence,
        coalesce(n.spec ->> 'licence_weights', '') AS metric_licence,
        b.random OR coalesce(m.is_random, false) AS random,
        CAST(n.spec ->> 'low' AS double precision) AS low,
        CAST(n.spec ->> 'high' AS double precision) AS high,
        array_agg(b.target_id ORDER BY b.content_sha256) AS target_ids,
        array_agg(n.value ORDER BY b.content_sha256) AS numbers,
        array_agg(b.same_recording_n ORDER BY b.content_sha256) AS same_recording_ns
    FROM number n JOIN best_match b USING (encoder_id, target_id)
    LEFT JOIN mirpipe.metric m ON m.metric_id = n.metric_id
    GROUP BY b.encoder_id, b.name, b.licence, b.random, n.metric, n.metric_id, n.spec, m.is_random
    ORDER BY b.name, n.metric
""")
_CLIPS = text("""
    SELECT s.generator_id, s.mode, s.guidance, s.metric,
        bool_or(s.is_conditioned) AS is_conditioned, bool_or(s.random) AS random,
        coalesce(max(s.licence_weights), '') AS licence,
        max(s.metric_revision) AS metric_revision,
        max(s.metric_licence_weights) AS metric_licence_weights,
        bool_or(s.metric_random) AS metric_random,
        max(CAST(m.spec ->> 'low' AS double precision)) AS low,
        max(CAST(m.spec ->> 'high' AS double precision)) AS high,
        array_agg(s.target_id ORDER BY t.content_sha256, s.seed, s.generation_id) AS target_ids,
        array_agg(s.value ORDER BY t.content_sha256, s.seed, s.generation_id) AS numbers
    FROM mirpipe.v_generation_score s JOIN mirpipe.track t ON t.track_id = s.target_id
    LEFT JOIN mirpipe.shown_metric m ON m.name = s.metric
    GROUP BY s.generator_id, s.mode, s.guidance, s.metric
    ORDER BY s.generator_id, s.mode, s.guidance, s.metric
""")


def match_series(connection: Connection) -> list[Series]:
    """Return one series per metric and encoder, over the best matches that are currently shown.

    The matches are those of the view best_match: matches that are the same recording as their
    target are left out, unless the latest run counts them. A target without a match that counts
    has an undefined value.

    The metrics are the encoder's own (cosine, z, percentile), every pair metric, and every score
    axis of the models that score tracks. The metric melody_accuracy_melodic is melody_accuracy
    without the pairs in which a track is unpitched.
    """
    return [
        Series(
            Source(encoder_id=row.encoder_id, sort_key=(row.name,)),
            row.metric,
            row.metric_id,
            (row.licence, row.metric_licence),
            row.random,
            None,
            np.array(row.target_ids, np.int64),
            np.array(row.numbers, np.float64),
            metric_range(row.metric, row.low, row.high),
            np.array(row.same_recording_ns, np.int64),
        )
        for row in connection.execute(_MATCHES)
    ]


def clip_series(connection: Connection) -> list[Series]:
    """Return one series per metric and mode, over the clips that enter the results."""
    return [
        Series(
            Source(
                generator_id=row.generator_id,
                mode=row.mode,
                guidance=row.guidance,
                sort_key=(row.is_conditioned, row.guidance or 0.0, row.mode),
            ),
            row.metric,
            None,
            (row.licence,),
            row.random,
            MeasuredBy(row.metric_revision, row.metric_licence_weights, row.metric_random),
            np.array(row.target_ids, np.int64),
            np.array(row.numbers, np.float64),
            metric_range(row.metric, row.low, row.high),
            np.zeros(len(row.target_ids), np.int64),
        )
        for row in connection.execute(_CLIPS)
    ]
