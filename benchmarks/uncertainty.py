"""The statistics of a large report: intervals, summaries by group, paired comparisons."""

import time

import numpy as np

from mirpipe.statistics.bootstrap_intervals import intervals
from mirpipe.statistics.paired_sign_flip_test import compare

TARGETS, ENCODERS, METRICS, GROUPS = 1000, 3, 20, 20


def run() -> list[tuple[str, float, str]]:
    """Name, value and unit of each measurement; takes some seconds."""
    random = np.random.default_rng(0)
    values = random.normal(0.5, 0.2, (ENCODERS, METRICS, TARGETS))
    whole = list(values.reshape(-1, TARGETS))
    # a third of the metrics is undefined for targets of its own, so that they share no resamples
    whole = [one[at % 7 * 3 :] if at % 3 == 0 else one for at, one in enumerate(whole)]
    group = random.integers(GROUPS, size=TARGETS)
    groups = [one[group == value] for one in values.reshape(-1, TARGETS) for value in range(GROUPS)]
    first, second = np.triu_indices(ENCODERS, 1)
    differences = list((values[first] - values[second]).reshape(-1, TARGETS))
    size = f"{TARGETS:,} targets × {ENCODERS} encoders × {METRICS} metrics"
    return [
        (f"bootstrap intervals, {size}", _seconds(lambda: intervals(whole)), "s"),
        (f"the same by {GROUPS} groups", _seconds(lambda: intervals(groups)), "s"),
        (f"paired comparisons, {size}", _seconds(lambda: compare(differences)), "s"),
        (
            "exact sign-flip test of 60 columns of 20 targets",
            _seconds(lambda: compare([one[:20] for one in differences])),
            "s",
        ),
    ]


def _seconds(work: object) -> float:
    assert callable(work)
    started = time.monotonic()
    work()
    return time.monotonic() - started
