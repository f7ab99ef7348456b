"""Measures how long a large report's statistics take: intervals, groups and paired comparisons."""

import numpy as np

from benchmarks.large_library import measure_seconds
from mirpipe.statistics.mean_intervals import intervals
from mirpipe.statistics.paired_sign_flip_test import compare

TARGETS, ENCODERS, METRICS, GROUPS = 1000, 3, 20, 20


def run() -> list[tuple[str, float, str]]:
    """Return name, value and unit of each measurement. This takes some seconds."""
    random = np.random.default_rng(0)
    values = random.normal(0.5, 0.2, (ENCODERS, METRICS, TARGETS))
    columns = list(values.reshape(-1, TARGETS))
    # A third of the metrics are undefined for some targets, so these metrics cannot share
    # resamples.
    columns = [
        column[index % 7 * 3 :] if index % 3 == 0 else column
        for index, column in enumerate(columns)
    ]
    group = random.integers(GROUPS, size=TARGETS)
    groups = [
        column[group == value] for column in values.reshape(-1, TARGETS) for value in range(GROUPS)
    ]
    first, second = np.triu_indices(ENCODERS, 1)
    differences = list((values[first] - values[second]).reshape(-1, TARGETS))
    size = f"{TARGETS:,} targets × {ENCODERS} encoders × {METRICS} metrics"
    return [
        (f"bootstrap intervals, {size}", measure_seconds(lambda: intervals(columns)), "s"),
        (f"the same by {GROUPS} groups", measure_seconds(lambda: intervals(groups)), "s"),
        (f"paired comparisons, {size}", measure_seconds(lambda: compare(differences)), "s"),
        (
            "exact sign-flip test of 60 columns of 20 targets",
            measure_seconds(lambda: compare([column[:20] for column in differences])),
            "s",
        ),
    ]
