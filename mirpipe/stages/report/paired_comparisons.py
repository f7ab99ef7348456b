"""Compares encoders, and the modes of each generator, in pairs on the targets that both share."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import run_summaries
from mirpipe.db.store.metric_series import Series
from mirpipe.music.metrics.metric_ranges import range_of_difference
from mirpipe.music.metrics.related_metrics import is_tested
from mirpipe.records import Float64
from mirpipe.setting_types import is_compared
from mirpipe.settings import settings
from mirpipe.stages.report.declared_pairs import declared_pairs
from mirpipe.statistics.comparison_family import PairedMetric, Verdict, correct
from mirpipe.statistics.mean_intervals import missing_reason
from mirpipe.statistics.paired_sign_flip_test import PairedComparison, compare


@dataclass(frozen=True)
class SeriesPair:
    """Two series of the same metric, and their differences on common targets."""

    first: Series
    second: Series
    differences: dict[int, float]
    """First series minus second series for each common target."""
    second_mean: float
    """Mean of the second series over the common targets. NaN if there are none."""

    @property
    def family(self) -> int | None:
        """Id of the generator, or None for encoders. p-values are corrected per family."""
        return self.first.source.generator_id

    @property
    def random(self) -> bool:
        """Whether a value depends on random weights."""
        return self.first.random or self.second.random


def comparison_method() -> str:
    """Return the name of the statistical methods, and the settings that they depend on."""
    chosen = settings()
    return (
        "target means, studentised intervals, step-down min-p, FAD bias, group tests, fused MRR, "
        "metric ranges, album and artist filters, "
        f"same recordings {'count' if chosen.same_recording_counts else 'are left out'}, "
        f"{_ranked(chosen.ranked_targets)}{chosen.encoders[:1]} {chosen.encoder_contrasts} "
        f"{chosen.primary_retrieval_metric} "
        f"{chosen.mode_contrasts} {chosen.primary_generation_metric}"
    )


def _ranked(targets: int | None) -> str:
    return "" if targets is None else f"rankings of {targets} targets, "


def insert_comparisons(connection: Connection, run_id: int, series: Sequence[Series]) -> None:
    """Store the comparison of each series pair, with p-values before and after correction."""
    families = defaultdict(list)
    for pair in _series_pairs(series):
        families[pair.family].append(pair)
    rows = []
    for family in families.values():
        comparisons = compare(
            [_column(pair) for pair in family],
            ranges=[range_of_difference(pair.first.range) for pair in family],
        )
        for pair, comparison, verdict in zip(family, comparisons, _verdicts(family), strict=True):
            rows.append(
                _key_columns(run_id, pair)
                | {"than_mean": _none_if_nan(pair.second_mean)}
                | _result_columns(comparison, verdict)
            )
    run_summaries.insert(connection, "run_comparison", rows)


def _verdicts(family: Sequence[SeriesPair]) -> list[Verdict]:
    """Return the verdict on each pair, after correction for all pairs in the family."""
    sources = dict.fromkeys(
        series.source for pair in family for series in (pair.first, pair.second)
    )
    declared = declared_pairs(list(sources))
    primary = (
        settings().primary_retrieval_metric
        if family[0].family is None
        else settings().primary_generation_metric
    )
    paired_metrics = []
    for pair in family:
        pair_of_sources = frozenset((pair.first.source, pair.second.source))
        metric = pair.first.metric
        paired_metrics.append(
            PairedMetric(
                pair_of_sources,
                metric,
                pair.differences,
                is_declared=pair_of_sources in declared
                and (is_tested(metric) or metric == primary),
                is_random=pair.random,
            )
        )
    return correct(paired_metrics, primary)


def _series_pairs(series: Sequence[Series]) -> list[SeriesPair]:
    """Return all pairs of series to compare: two encoders, or two modes of a generator.

    Both series of a pair have the same metric. The series with the higher sort key comes first.
    """
    comparable = defaultdict(list)
    for one_series in series:
        if is_compared(one_series.metric):
            comparable[one_series.source.generator_id, one_series.metric].append(one_series)
    return [
        SeriesPair(first, second, *_compare_targets(first, second))
        for group in comparable.values()
        for second, first in combinations(
            sorted(group, key=lambda one_series: one_series.source.sort_key), 2
        )
    ]


def _compare_targets(first: Series, second: Series) -> tuple[dict[int, float], float]:
    """Return first minus second for each common target, and the mean of second over these targets.

    The differences are in the order of the first series. If a target has values for several seeds,
    their mean is used.
    """
    first_by_target, second_by_target = (
        dict(zip(*(array.tolist() for array in series.target_means()), strict=True))
        for series in (first, second)
    )
    common = [target for target in first_by_target if target in second_by_target]
    differences = {
        target: _difference(first_by_target[target], second_by_target[target]) for target in common
    }
    seconds = [second_by_target[target] for target in common]
    return differences, float(np.mean(seconds)) if common else np.nan


def _difference(first: float, second: float) -> float:
    """Return first minus second, or 0 if they differ only by the rounding of a sum."""
    return 0.0 if math.isclose(first, second, rel_tol=1e-12, abs_tol=1e-15) else first - second


def _column(pair: SeriesPair) -> Float64:
    return np.array(list(pair.differences.values()), np.float64)


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
        "random": pair.random,
    }


def _result_columns(comparison: PairedComparison, verdict: Verdict) -> dict[str, Any]:
    method = "exact" if verdict.is_exact else "permutation"
    return {
        "n": comparison.n,
        "mean_difference": _none_if_nan(comparison.mean),
        "sd": _none_if_nan(comparison.sd),
        "low": _none_if_nan(comparison.low),
        "high": _none_if_nan(comparison.high),
        "interval_reason": missing_reason(comparison.n, comparison.low),
        "higher_n": comparison.higher_n,
        "equal_n": comparison.equal_n,
        "role": verdict.role,
        "p": verdict.p,
        "p_adjusted": verdict.p_adjusted,
        "method": method if comparison.n else None,
        "reason": verdict.reason,
        "family_n": verdict.family_n,
    }


def _none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else value
