"""Non-inferiority: whether a mean has not become worse by more than a margin.

A p-value above 0.05 does not prove that nothing has changed: with few targets, any change has such
a p-value. Here, the 95% interval of the mean difference decides, which is a one-sided test at
2.5%. Source: Wellek, Testing Statistical Hypotheses of Equivalence and Noninferiority (2010),
chapter 1.

statsmodels' ttost_paired is not used because it has only Student's t, whose intervals are too short
on the long side of skewed values (see `mean_intervals`).
"""

from collections.abc import Iterable
from typing import Literal

from mirpipe.statistics.mean_intervals import MIN_N
from mirpipe.statistics.paired_sign_flip_test import PairedComparison

NonInferiority = Literal["better", "not worse", "worse", "undecided"]


def non_inferiority(test: PairedComparison, margin: float) -> NonInferiority:
    """Return the verdict on the mean difference new − old of a metric that should be high.

    `margin` is the largest acceptable decrease, in the unit of the metric and at least 0. With the
    95% interval of the mean difference, the verdict is

    - `better` if the complete interval is above 0,
    - `not worse` if it is not below −margin,
    - `worse` if the complete interval is below −margin,
    - `undecided` if it contains −margin, or if there are fewer than MIN_N differences.
    """
    if test.n < MIN_N:
        return "undecided"
    low, high = test.ends
    if low > 0:
        return "better"
    if low >= -margin:
        return "not worse"
    return "worse" if high < -margin else "undecided"


def combined(verdicts: Iterable[NonInferiority]) -> NonInferiority:
    """Return the verdict on several metrics together: `better` only if all of them are better.

    The verdict is `worse` if any metric is worse, and otherwise `undecided` if any is undecided.
    Because all metrics must pass, their number needs no correction (intersection–union test). The
    verdict on no metrics is `undecided`.
    """
    found = set(verdicts)
    order: list[NonInferiority] = ["worse", "undecided", "not worse", "better"]
    return next((verdict for verdict in order if verdict in found), "undecided")
