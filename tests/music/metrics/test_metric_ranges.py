"""The range of each metric, from its spec or from the list of metrics without one."""

import math

import pytest

from mirpipe.music.metrics.melody_accuracy import ACCURACY
from mirpipe.music.metrics.melody_chance_correction import SPECS
from mirpipe.music.metrics.metric_ranges import Range, metric_range, range_of_difference


@pytest.mark.parametrize(
    ("metric", "low", "high", "expected"),
    [
        ("cosine", None, None, (-1, 1)),
        ("cosine clap", None, None, (-1, 1)),
        ("percentile", None, None, (0, 100)),
        ("z", None, None, (-math.inf, math.inf)),
        (ACCURACY.name, ACCURACY.low, ACCURACY.high, (0, 1)),
        ("melody_accuracy_melodic", ACCURACY.low, ACCURACY.high, (0, 1)),
        (SPECS["corrected"].name, SPECS["corrected"].low, SPECS["corrected"].high, (-math.inf, 1)),
        ("a metric of an older version", None, None, (-math.inf, math.inf)),
    ],
)
def test_the_range_of_a_metric_is_its_lowest_and_highest_value(
    metric: str, low: float | None, high: float | None, expected: Range
) -> None:
    assert metric_range(metric, low, high) == expected


def test_a_difference_ranges_over_the_width_of_the_metric_in_both_directions() -> None:
    assert range_of_difference((1, 10)) == (-9, 9)
    assert range_of_difference((-math.inf, 1)) == (-math.inf, math.inf)
