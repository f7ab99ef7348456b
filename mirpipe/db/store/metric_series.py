"""What was measured of the first answers and of the clips: a series a metric, and the labels."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from mirpipe.records import Float64


@dataclass(frozen=True)
class Source:
    """Whose numbers they are: an encoder's first answers, or the clips of a generator's mode."""

    encoder_id: int | None = None
    generator_id: int | None = None
    mode: str | None = None
    guidance: float | None = None
    place: tuple[Any, ...] = ()
    """Of two that are compared, the one with the higher place is named first: the later by name of
    encoders; of modes the conditioned one, then the higher guidance, then the later by name."""


@dataclass(frozen=True)
class MeasuredBy:
    """The revision of a metric, or of an encoder whose cosine it is, and what binds its numbers."""

    revision: str
    licence_weights: str
    random: bool


@dataclass(frozen=True)
class Series:
    """One metric of one source. Order is by the target's content hash, then by seed."""

    source: Source
    metric: str
    metric_id: int | None
    """The revision, of answers; None where the number is the encoder's own."""
    licences: tuple[str, ...]
    random: bool
    measured_by: MeasuredBy | None
    """Of clips; None of answers, whose `metric_id` says it."""
    target_ids: NDArray[np.int64]
    """Of every value, shape (n,); the values of a target stand together."""
    values: Float64
    """Shape (n,); NaN where it is undefined or not measured."""

    def of(self, chosen: NDArray[np.bool_]) -> "Series":
        """The same metric of some of the values."""
        return replace(self, target_ids=self.target_ids[chosen], values=self.values[chosen])

    def defined(self) -> Float64:
        """The values that are there."""
        return self.values[np.isfinite(self.values)]

    def by_target(self) -> tuple[NDArray[np.int64], Float64]:
        """Targets with a value, and the mean of each one's values, both of shape (targets,)."""
        there = np.isfinite(self.values)
        ids, values = self.target_ids[there], self.values[there]
        starts = np.flatnonzero(np.diff(ids, prepend=-1))
        if not len(starts):
            return ids, values
        counts = np.diff(starts, append=len(ids))
        return ids[starts], np.add.reduceat(values, starts) / counts


_ANSWERS = text("""
    WITH answer AS MATERIALIZED (
        SELECT e.encoder_id, e.name, t.content_sha256, v.target_id, v.reference_id,
            v.cosine, v.z, v.percentile, v.melodic,
            coalesce(e.spec ->> 'licence_weights', '') AS licence,
            coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random
        FROM mirpipe.v_retrieval v
        JOIN mirpipe.encoder e ON e.name = v.encoder AND e.revision = v.revision
        JOIN mirpipe.track t ON t.track_id = v.target_id
        WHERE v.rank = 1
    ), pair_metric AS (
        SELECT w.name, m.metric_id, m.spec FROM (
            SELECT 'melody_accuracy' AS name
            UNION
            SELECT k.name FROM mirpipe.shown_metric k
            WHERE EXISTS (SELECT FROM mirpipe.pair_score p WHERE p.metric_id = k.metric_id)) w
        LEFT JOIN mirpipe.shown_metric m ON m.name = w.name
    ), pair AS MATERIALIZED (
        SELECT a.encoder_id, a.target_id, m.name AS metric, m.metric_id, m.spec, p.value, a.melodic
        FROM answer a CROSS JOIN pair_metric m
        LEFT JOIN mirpipe.pair_score p ON p.metric_id = m.metric_id
            AND p.target_id = a.target_id AND p.reference_id = a.reference_id
    ), number AS (
        SELECT a.encoder_id, a.target_id, own.metric, CAST(NULL AS smallint) AS metric_id,
            CAST(NULL AS jsonb) AS spec, own.value
        FROM answer a CROSS JOIN LATERAL (VALUES
            ('cosine', a.cosine), ('z', a.z), ('percentile', a.percentile)) own (metric, value)
        UNION ALL
        SELECT encoder_id, target_id, metric, metric_id, spec, value FROM pair
        UNION ALL
        SELECT encoder_id, target_id, 'melody_accuracy_melodic', metric_id, spec,
            CASE WHEN melodic THEN value END
        FROM pair WHERE metric = 'melody_accuracy'
        UNION ALL
        SELECT a.encoder_id, a.target_id, k.name, k.metric_id, k.spec, s.value
        FROM answer a CROSS JOIN mirpipe.shown_metric k
        LEFT JOIN mirpipe.track_score s
            ON s.metric_id = k.metric_id AND s.track_id = a.reference_id
        WHERE k.spec ->> 'axis' IS NOT NULL
    )
    SELECT a.encoder_id, a.name, n.metric, n.metric_id, a.licence,
        coalesce(n.spec ->> 'licence_weights', '') AS metric_licence,
        a.random OR coalesce(n.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
        array_agg(a.target_id ORDER BY a.content_sha256) AS target_ids,
        array_agg(n.value ORDER BY a.content_sha256) AS numbers
    FROM number n JOIN answer a USING (encoder_id, target_id)
    GROUP BY a.encoder_id, a.name, a.licence, a.random, n.metric, n.metric_id, n.spec
    ORDER BY a.name, n.metric
""")
_CLIPS = text("""
    SELECT s.generator_id, s.mode, s.guidance, s.metric,
        bool_or(s.is_conditioned) AS is_conditioned, bool_or(s.random) AS random,
        coalesce(max(s.licence_weights), '') AS licence,
        max(s.metric_revision) AS metric_revision,
        max(s.metric_licence_weights) AS metric_licence_weights,
        bool_or(s.metric_random) AS metric_random,
        array_agg(s.target_id ORDER BY t.content_sha256, s.seed, s.generation_id) AS target_ids,
        array_agg(s.value ORDER BY t.content_sha256, s.seed, s.generation_id) AS numbers
    FROM mirpipe.v_generation_score s JOIN mirpipe.track t ON t.track_id = s.target_id
    GROUP BY s.generator_id, s.mode, s.guidance, s.metric
    ORDER BY s.generator_id, s.mode, s.guidance, s.metric
""")
_LABELS = text("""
    SELECT t.track_id, l.key, l.value
    FROM mirpipe.track t CROSS JOIN LATERAL jsonb_each_text(t.labels) l
    WHERE t.collection = 'target' AND l.key = ANY(:keys) AND l.value <> ''
""")


def answers(connection: Connection) -> list[Series]:
    """Every number of every target's first answer, as it is served now.

    The encoder's own (cosine, z, percentile), every metric of the pair, melody_accuracy_melodic,
    which is NaN where a side is unpitched, and every axis of models that score tracks.
    """
    return [
        Series(
            Source(encoder_id=row.encoder_id, place=(row.name,)),
            row.metric,
            row.metric_id,
            (row.licence, row.metric_licence),
            row.random,
            None,
            np.array(row.target_ids, np.int64),
            np.array(row.numbers, np.float64),
        )
        for row in connection.execute(_ANSWERS)
    ]


def clips(connection: Connection) -> list[Series]:
    """Every number of every clip of the wanted generators."""
    return [
        Series(
            Source(
                generator_id=row.generator_id,
                mode=row.mode,
                guidance=row.guidance,
                place=(row.is_conditioned, row.guidance or 0.0, row.mode),
            ),
            row.metric,
            None,
            (row.licence,),
            row.random,
            MeasuredBy(row.metric_revision, row.metric_licence_weights, row.metric_random),
            np.array(row.target_ids, np.int64),
            np.array(row.numbers, np.float64),
        )
        for row in connection.execute(_CLIPS)
    ]


def target_labels(connection: Connection, keys: Collection[str]) -> dict[str, dict[int, str]]:
    """Label → target → its value; a target without the label is left out."""
    found: dict[str, dict[int, str]] = {key: {} for key in keys}
    for row in connection.execute(_LABELS, {"keys": list(keys)}):
        found[row.key][row.track_id] = row.value
    return found
