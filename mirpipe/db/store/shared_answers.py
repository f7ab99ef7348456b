"""What two revisions answer for the same targets: matches or clips, and the values of metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, text

from mirpipe.music.metrics.metric_ranges import Range, metric_range
from mirpipe.records import Float64, Int64


@dataclass(frozen=True)
class SharedAnswers:
    """The answers of two revisions. Arrays have one value per target, sorted by content hash."""

    references_n: int | None
    """Number of usable references that both revisions have embedded. None for clips."""
    targets_n: int
    """Number of usable targets that both revisions have processed."""
    target_ids: Int64
    """Targets for which both revisions have an answer, shape (n,)."""
    old_ids: Int64
    """Track id of the best match or of a clip by the old revision, shape (n,)."""
    new_ids: Int64
    """Track id of the best match or of the same clip by the new revision, shape (n,).

    If any clip of the target differs, it is one that differs.
    """
    common: Float64
    """Share of the first matches, or of the clips, that are the same, shape (n,), 0 to 1."""
    old_lists: Int64
    """First k matches by the old revision, shape (n, k), with −1 if there are fewer.

    For clips, k is 0.
    """
    new_lists: Int64
    """First k matches by the new revision, in the same form."""


@dataclass(frozen=True)
class MetricValues:
    """One metric of the answers. Arrays have one value per target, NaN if it is undefined."""

    metric: str
    encoder: str | None
    """Encoder whose vectors the metric compares. None for other metrics."""
    random: bool
    """Whether the metric depends on random weights."""
    range: Range
    """Lowest and highest possible value."""
    old: Float64
    """Values of the old revision, shape (n,)."""
    new: Float64
    """Values of the new revision, shape (n,)."""
    unmeasured_n: int
    """Number of compared pairs of answers of which one has no score yet."""


_TITLES = text("SELECT track_id, title FROM mirpipe.track WHERE track_id = ANY(:track_ids)")


def metric_values(row: Row[Any]) -> MetricValues:
    """Return the values in a row with the fields of MetricValues, and the range as low and high."""
    return MetricValues(
        row.metric,
        row.encoder,
        row.random,
        metric_range(row.metric, row.low, row.high),
        np.array(row.old, np.float64),
        np.array(row.new, np.float64),
        row.unmeasured_n,
    )


def titles(connection: Connection, track_ids: Sequence[int]) -> dict[int, str]:
    """Return the titles of tracks by their ids."""
    rows = connection.execute(_TITLES, {"track_ids": list(track_ids)})
    return {row.track_id: row.title for row in rows}
