"""How the tracks of a filter are distributed over labels, keys, tempos and lengths."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_list import MAX_COUNTED, TrackFilter, conditions, parameters

MAX_GROUPS = 10
"""Largest number of labels, and of keys, that are returned. They are the most frequent ones."""
TEMPO_STEP_BPM = 20


@dataclass(frozen=True)
class TrackGroup:
    """Tracks with one value of a label or a key, or with a tempo or length in one range."""

    measure: str
    """genre, instrument, key, tempo or length."""
    value: str
    """The label, the key, or the range with its unit."""
    tracks: int


# Each range has a number in `place`, so that ranges are sorted by their values. A label is sorted
# by its number of tracks.
_GROUPS = """
    SELECT measure, value, tracks FROM (
        SELECT g.*, row_number() OVER (PARTITION BY measure ORDER BY tracks DESC, value) AS rank
        FROM (
            SELECT v.measure, v.place, v.value, count(*) AS tracks
            FROM (
                SELECT t.track_id, t.seconds, t.labels FROM mirpipe.track t
                WHERE {conditions} LIMIT :limit
            ) t
            LEFT JOIN mirpipe.shown_metric k ON k.name = 'features'
            LEFT JOIN mirpipe.track_feature f
                ON f.metric_id = k.metric_id AND f.track_id = t.track_id
            CROSS JOIN LATERAL (SELECT
                floor(f.tempo_bpm / {step}) * {step} AS bpm,
                width_bucket(t.seconds, ARRAY[10, 30, 60, 120, 300, 600, 1200]) AS bucket) b
            CROSS JOIN LATERAL (VALUES
                ('genre', 0, t.labels ->> 'genre'),
                ('instrument', 0, t.labels ->> 'instrument'),
                ('key', 0, f.key),
                ('tempo', b.bpm, format('%s to %s BPM', b.bpm, b.bpm + {step})),
                ('length', b.bucket, (ARRAY['under 10 s', '10 to 30 s', '30 s to 1 min',
                    '1 to 2 min', '2 to 5 min', '5 to 10 min', '10 to 20 min', 'over 20 min']
                )[b.bucket + 1])
            ) v (measure, place, value)
            WHERE v.place IS NOT NULL AND v.value <> ''
            GROUP BY v.measure, v.place, v.value
        ) g
    ) ranked
    WHERE rank <= {groups} OR measure IN ('tempo', 'length')
    ORDER BY measure, place, tracks DESC, value
"""


def track_distributions(chosen: TrackFilter) -> list[TrackGroup]:
    """Return the groups of the tracks of this filter, by measure.

    Labels and keys are sorted by their number of tracks, tempos and lengths by value. A track
    without a value is in no group. If there are more than `MAX_COUNTED` tracks, only so many are
    grouped.
    """
    query = _GROUPS.format(conditions=conditions(chosen), step=TEMPO_STEP_BPM, groups=MAX_GROUPS)
    return read_rows(TrackGroup, text(query), limit=MAX_COUNTED, **parameters(chosen))
