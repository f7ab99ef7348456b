"""Every two encoders, and every two modes of a generator, compared on the targets they share."""

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
from mirpipe.stages.report.metric_summaries import NO_INTERVAL
from mirpipe.statistics.holm_correction import holm
from mirpipe.statistics.paired_sign_flip_test import Paired, compare

OWN_SPACE = "cosine"
"""The metric that lies in an encoder's own space: two encoders are never compared by it."""
THRESHOLDS = "_null95"
"""How metrics end that say what chance reaches, not how good something is."""


@dataclass(frozen=True)
class Pair:
    """Two series of one metric, the first less the second on the targets that both have."""

    first: Series
    second: Series
    differences: Float64

    @property
    def family(self) -> int | None:
        """What is corrected together: all of one generator, or all of the encoders (None)."""
        return self.first.source.generator_id


def compare_all(connection: Connection, run_id: int, series: Sequence[Series]) -> None:
    """Stores the comparison of every two sources, with p after Holm's correction in its family."""
    pairs = _pairs(series)
    found = compare([pair.differences for pair in pairs])
    families = defaultdict(list)
    for at, pair in enumerate(pairs):
        families[pair.family].append(at)
    ps = np.array([one.p for one in found])
    corrected, sizes = np.full(len(ps), np.nan), np.zeros(len(ps), int)
    for places in families.values():
        corrected[places] = holm(ps[places])
        sizes[places] = np.count_nonzero(~np.isnan(ps[places]))
    rows = [
        _keys(run_id, pair) | _numbers(one, float(p_holm)) | {"family_n": int(size)}
        for pair, one, p_holm, size in zip(pairs, found, corrected, sizes, strict=True)
    ]
    run_summaries.insert(connection, "run_comparison", rows)


def _pairs(series: Sequence[Series]) -> list[Pair]:
    """Of every metric that two sources of one kind and generator share, the higher place first."""
    alike = defaultdict(list)
    for one in series:
        if one.metric != OWN_SPACE and not one.metric.endswith(THRESHOLDS):
            alike[one.source.generator_id, one.metric].append(one)
    return [
        Pair(first, second, _differences(first, second))
        for some in alike.values()
        for second, first in combinations(sorted(some, key=lambda one: one.source.place), 2)
    ]


def _differences(first: Series, second: Series) -> Float64:
    """By target, in the order of the first, a target's seeds averaged."""
    ids, values = first.by_target()
    others = dict(zip(*(one.tolist() for one in second.by_target()), strict=True))
    rows = zip(ids.tolist(), values.tolist(), strict=True)
    return np.array([value - others[one] for one, value in rows if one in others], np.float64)


def _keys(run_id: int, pair: Pair) -> dict[str, Any]:
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


def _numbers(found: Paired, p_holm: float) -> dict[str, Any]:
    tested = found.n > 0
    return {
        "n": found.n,
        "mean_difference": _or_none(found.mean),
        "sd": _or_none(found.sd),
        "low": _or_none(found.low),
        "high": _or_none(found.high),
        "interval_reason": NO_INTERVAL.get(found.n),
        "higher_n": found.higher_n,
        "p": _or_none(found.p),
        "p_holm": _or_none(p_holm),
        "method": ("exact" if found.is_exact else "permutation") if tested else None,
        "reason": None if tested else "no_target",
    }


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
