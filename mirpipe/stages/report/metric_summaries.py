"""Summarises every metric by mean, standard deviation and interval, overall and by label."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import run_summaries
from mirpipe.db.store.metric_series import Series
from mirpipe.db.store.track_labels import read_target_labels
from mirpipe.statistics.group_test import correct_exploratory, group_p_value
from mirpipe.statistics.mean_intervals import intervals, missing_reason

LABELS = ("genre", "instrument")
"""Target labels by which metrics are summarised."""

Row = dict[str, Any]


def insert_summaries(connection: Connection, run_id: int, series: Sequence[Series]) -> None:
    """Store the summary of each series, and its summaries by genre and by instrument."""
    labels = read_target_labels(connection, LABELS)
    groups = [group for one_series in series for group in _groups(one_series, labels)]
    _add_corrected_p_values([columns for _, columns in groups])
    parts = [(one_series, Row()) for one_series in series] + groups
    numbers = _summary_columns([part for part, _ in parts])
    rows = [
        _key_columns(run_id, part) | group_columns | summary
        for (part, group_columns), summary in zip(parts, numbers, strict=True)
    ]
    complete, by_group = rows[: len(series)], rows[len(series) :]
    matches = [row for row in complete if row["encoder_id"] is not None]
    clips = [row for row in complete if row["encoder_id"] is None]
    run_summaries.insert(connection, "run_summary", matches)
    run_summaries.insert(connection, "run_generation_summary", clips)
    run_summaries.insert(connection, "run_group_summary", by_group)


def _groups(
    series: Series, labels: Mapping[str, Mapping[int, Sequence[str]]]
) -> list[tuple[Series, Row]]:
    """Return one part of the series per label value, and the columns of the group.

    A target with several genres is in the group of each of them. The columns identify the group,
    and contain the p-value of its difference from the labelled targets that are not in the group.
    These two sets of targets never overlap.
    """
    groups: list[tuple[Series, Row]] = []
    target_ids, means = series.target_means()
    for label, values_by_target in labels.items():
        labelled = np.array([target in values_by_target for target in target_ids.tolist()], bool)
        all_ids = np.unique(series.target_ids).tolist()
        unlabelled = sum(target not in values_by_target for target in all_ids)
        members: dict[str, list[int]] = {}
        for target in all_ids:
            for value in values_by_target.get(target, ()):
                members.setdefault(value, []).append(target)
        for value in sorted(members):
            columns: Row = {"label": label, "value": value, "unlabelled_n": unlabelled}
            if series.random:
                columns |= {"p": np.nan, "p_reason": "random_weights"}
            else:
                is_member = np.isin(target_ids[labelled], members[value])
                p = group_p_value(means[labelled], is_member)
                columns |= {"p": p, "p_reason": "too_few_targets" if np.isnan(p) else None}
            groups.append((series.select(np.isin(series.target_ids, members[value])), columns))
    return groups


def _add_corrected_p_values(groups: Sequence[Row]) -> None:
    """Correct the p-values of all groups together, and replace NaN by None."""
    for group, p_adjusted in zip(
        groups, correct_exploratory([group["p"] for group in groups]), strict=True
    ):
        has_p = group["p_reason"] is None
        group["p_adjusted"] = float(p_adjusted) if has_p else None
        group["p"] = group["p"] if has_p else None


def _key_columns(run_id: int, series: Series) -> Row:
    source, measured_by = series.source, series.measured_by
    return {
        "run_id": run_id,
        "encoder_id": source.encoder_id,
        "generator_id": source.generator_id,
        "mode": source.mode,
        "guidance": source.guidance,
        "metric": series.metric,
        "metric_id": series.metric_id,
        "metric_revision": measured_by and measured_by.revision,
        "metric_licence_weights": measured_by and measured_by.licence_weights,
        "metric_random": measured_by and measured_by.random,
    }


def _summary_columns(series: Sequence[Series]) -> list[Row]:
    """Return the summary columns of each series.

    The values of each target are averaged first, because clips of the same target are not
    independent. Mean, standard deviation, interval and n are computed over these target means.
    """
    target_means = [one_series.target_means()[1] for one_series in series]
    rows = []
    bounds = intervals(target_means, ranges=[one_series.range for one_series in series])
    for one_series, means, (low, high) in zip(series, target_means, bounds, strict=True):
        defined = int(np.isfinite(one_series.values).sum())
        rows.append(
            {
                "n": len(means),
                "undefined_n": len(one_series.values) - defined,
                "same_recording_n": int(one_series.same_recording_ns.sum()),
                "clips_n": None if one_series.source.generator_id is None else defined,
                "targets_n": len(means),
                "averaged_over": "targets",
                "mean": float(means.mean()) if len(means) else None,
                "sd": float(means.std()) if len(means) else None,
                "low": None if np.isnan(low) else float(low),
                "high": None if np.isnan(high) else float(high),
                "interval_reason": missing_reason(len(means), low),
            }
        )
    return rows
