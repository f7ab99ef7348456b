"""Mean, spread and interval of every metric: over all targets, and by their labels."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import metric_series, run_summaries
from mirpipe.db.store.metric_series import Series
from mirpipe.statistics.bootstrap_intervals import intervals

LABELS = ("genre", "instrument")
"""By which labels of a target summaries are also made."""

NO_INTERVAL = {0: "no_target", 1: "one_target"}
"""Why so few targets give no interval."""

Row = dict[str, Any]


def summarise(connection: Connection, run_id: int, series: Sequence[Series]) -> None:
    """Stores every series' summary, and those of its targets by genre and by instrument."""
    labels = metric_series.target_labels(connection, LABELS)
    groups = [part for one in series for part in _groups(one, labels)]
    parts = [(one, Row()) for one in series] + groups
    rows = [_keys(run_id, one) | keys for one, keys in parts]
    rows = [row | found for row, found in zip(rows, _numbers([p for p, _ in parts]), strict=True)]
    whole, by_group = rows[: len(series)], rows[len(series) :]
    answers = [row for row in whole if row["encoder_id"] is not None]
    clips = [row for row in whole if row["encoder_id"] is None]
    run_summaries.insert(connection, "run_summary", answers)
    run_summaries.insert(connection, "run_generation_summary", clips)
    run_summaries.insert(connection, "run_group_summary", by_group)


def _groups(
    series: Series, labels: Mapping[str, Mapping[int, str]]
) -> list[tuple[Series, dict[str, str | int]]]:
    found: list[tuple[Series, dict[str, str | int]]] = []
    for label, values in labels.items():
        of_each = np.array([values.get(one, "") for one in series.target_ids.tolist()])
        unlabelled = len(np.unique(series.target_ids[of_each == ""]))
        for value in sorted(set(of_each.tolist()) - {""}):
            keys: dict[str, str | int] = {"label": label, "value": value}
            found.append((series.of(of_each == value), keys | {"unlabelled_n": unlabelled}))
    return found


def _keys(run_id: int, series: Series) -> Row:
    source, by = series.source, series.measured_by
    return {
        "run_id": run_id,
        "encoder_id": source.encoder_id,
        "generator_id": source.generator_id,
        "mode": source.mode,
        "guidance": source.guidance,
        "metric": series.metric,
        "metric_id": series.metric_id,
        "metric_revision": by and by.revision,
        "metric_licence_weights": by and by.licence_weights,
        "metric_random": by and by.random,
    }


def _numbers(series: Sequence[Series]) -> list[Row]:
    by_target = [one.by_target()[1] for one in series]
    found = []
    for one, targets, (low, high) in zip(series, by_target, intervals(by_target), strict=True):
        values = one.defined()
        found.append(
            {
                "n": len(values),
                "undefined_n": len(one.values) - len(values),
                "targets_n": len(targets),
                "mean": float(values.mean()) if len(values) else None,
                "sd": float(values.std()) if len(values) else None,
                "low": None if np.isnan(low) else float(low),
                "high": None if np.isnan(high) else float(high),
                "interval_reason": NO_INTERVAL.get(len(targets)),
            }
        )
    return found
