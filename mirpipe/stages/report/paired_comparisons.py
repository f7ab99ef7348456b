"""Compares encoders, and the modes of each generator, in pairs on the targets that both share."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import run_summaries
from mirpipe.db.store.metric_series import Series
from mirpipe.records import Float64
from mirpipe.stages.report.metric_summaries import NO_INTERVAL_REASONS
from mirpipe.statistics.holm_correction import holm
from mirpipe.statistics.paired_sign_flip_test import PairedComparison, compare

NOT_COMPARABLE = "cosine"
"""Metric that is not compared, because the cosines of different encoders have different scales."""
THRESHOLD_SUFFIX = "_null95"
"""Suffix of the names of threshold metrics, which do not measure quality."""


@dataclass(frozen=True)
class SeriesPair:
    """Two series of the same metric, and their differences on common targets."""

    first: Series
    second: Series
    differences: Float64
    """First series minus second series, one value per common target, shape (targets,)."""
    second_mean: float
    """Mean of the second series over the common targets. NaN if there are none."""

    @property
    def family(self) -> int | None:
        """Id of the generator, or None for encoders. Holm's correction is applied per family."""
        return self.first.source.generator_id


def insert_comparisons(connection: Connection, run_id: int, series: Sequence[Series]) -> None:
    """Store the comparison of each series pair, with p-values before and after Holm correction."""
    pairs = _series_pairs(series)
    comparisons = compare([pair.differences for pair in pairs])
    families = defaultdict(list)
    for index, pair in enumerate(pairs):
        families[pair.family].append(index)
    ps = np.array([comparison.p for comparison in comparisons])
    corrected, family_sizes = np.full(len(ps), np.nan), np.zeros(len(ps), int)
    for indices in families.values():
        corrected[indices] = holm(ps[indices])
        family_sizes[indices] = np.count_nonzero(~np.isnan(ps[indices]))
    rows = [
        _key_columns(run_id, pair)
        | {"than_mean": _none_if_nan(pair.second_mean)}
        | _result_columns(comparison, float(p_holm))
        | {"family_n": int(size)}
        for pair, comparison, p_holm, size in zip(
            pairs, comparisons, corrected, family_sizes, strict=True
        )
    ]
    run_summaries.insert(connection, "run_comparison", rows)


def _series_pairs(series: Sequence[Series]) -> list[SeriesPair]:
    """Return all pairs of series to compare: two encoders, or two modes of a generator.

    Both series of a pair have the same metric. The series with the higher sort key comes first.
    """
    comparable = defaultdict(list)
    for one_series in series:
        metric = one_series.metric
        if metric != NOT_COMPARABLE and not metric.endswith(THRESHOLD_SUFFIX):
            comparable[one_series.source.generator_id, metric].append(one_series)
    return [
        SeriesPair(first, second, *_compare_targets(first, second))
        for group in comparable.values()
        for second, first in combinations(
            sorted(group, key=lambda one_series: one_series.source.sort_key), 2
        )
    ]


def _compare_targets(first: Series, second: Series) -> tuple[Float64, float]:
    """Return first minus second for each common target, and the mean of second over these targets.

    The differences are in the order of the first series. If a target has values for several seeds,
    their mean is used.
    """
    first_by_target, second_by_target = (
        dict(zip(*(array.tolist() for array in series.target_means()), strict=True))
        for series in (first, second)
    )
    common = [target for target in first_by_target if target in second_by_target]
    firsts = np.array([first_by_target[target] for target in common], np.float64)
    seconds = np.array([second_by_target[target] for target in common], np.float64)
    return firsts - seconds, float(seconds.mean()) if common else np.nan


def _key_columns(run_id: int, pair: SeriesPair) -> dict[str, Any]:
    first, second = pair.first.source, pair.second.source
    licences = dict.fromkeys((*pair.first.licences, *pair.second.licences))
    return {
        "run_id": run_id,
        "kind": "retrieval" if first.generator_id is None else "generation",
        "encoder_id": first.encoder_id,
        "than_encoder_id": second.encoder_id,
        "generator_id": first.generator_id,
        "mode": first.mode,
        "guidance": first.guidance,
        "than_mode": second.mode,
        "than_guidance": second.guidance,
        "metric": pair.first.metric,
        "licence_weights": "; ".join(licence for licence in licences if licence),
        "random": pair.first.random or pair.second.random,
    }


def _result_columns(comparison: PairedComparison, p_holm: float) -> dict[str, Any]:
    is_tested = comparison.n > 0
    method = "exact" if comparison.is_exact else "permutation"
    return {
        "n": comparison.n,
        "mean_difference": _none_if_nan(comparison.mean),
        "sd": _none_if_nan(comparison.sd),
        "low": _none_if_nan(comparison.low),
        "high": _none_if_nan(comparison.high),
        "interval_reason": NO_INTERVAL_REASONS.get(comparison.n),
        "higher_n": comparison.higher_n,
        "p": _none_if_nan(comparison.p),
        "p_holm": _none_if_nan(p_holm),
        "method": method if is_tested else None,
        "reason": None if is_tested else "no_target",
    }


def _none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else value
