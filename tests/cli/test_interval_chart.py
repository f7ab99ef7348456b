"""Tests for the chart of means and intervals: positions, ticks, undefined values and titles."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.cli.interval_chart import MARGIN, MAX_TICKS, WIDTH, Row, _ticks, interval_chart

NUMBERS = st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-6)


def positions(chart: str, attribute: str) -> list[float]:
    return [float(value) for value in re.findall(rf" {attribute}='([\d.-]+)'", chart)]


def test_means_and_intervals_are_drawn_to_scale() -> None:
    chart = interval_chart("m", [Row("a", 0.2, 0.0, 0.4, 9), Row("b", 1.0, None, None, 3)])
    first, second = positions(chart, "cx")
    assert first == pytest.approx(MARGIN + 0.2 * (WIDTH - 2 * MARGIN), abs=0.1)
    assert second == WIDTH - MARGIN
    intervals = re.findall(r"<line x1='([\d.]+)' x2='([\d.]+)'[^>]*stroke-width", chart)
    assert len(intervals) == 1
    low, high = map(float, intervals[0])
    assert (low + high) / 2 == pytest.approx(first, abs=0.1)
    assert "0.200 [0.000, 0.400], n = 9" in chart
    assert "1.000, n = 3" in chart


def test_an_undefined_mean_has_a_row_without_marks() -> None:
    chart = interval_chart("m", [Row("a", None, None, None, 0), Row("b", 0.5, None, None, 3)])
    assert len(positions(chart, "cx")) == 1
    assert "<td class='value'>–</td>" in chart
    assert interval_chart("m", [Row("a", None, None, None, 0)]) == ""


@pytest.mark.parametrize("mean", [0.0, 1.0, -3.0])
def test_almost_equal_values_can_be_drawn(mean: float) -> None:
    low, high = math.nextafter(mean, -math.inf), math.nextafter(mean, math.inf)
    chart = interval_chart("m", [Row("a", mean, low, high, 9)])
    assert len(positions(chart, "cx")) == 1


def test_names_are_text() -> None:
    chart = interval_chart("<b>", [Row("<i>x</i>", 0.5, None, None, 3)])
    assert "&lt;i&gt;x&lt;/i&gt;" in chart
    assert "<b>" not in chart


@given(NUMBERS, NUMBERS)
def test_a_few_different_ticks_enclose_all_values(one: float, other: float) -> None:
    low, high = sorted((one, other))
    ticks, digits = _ticks(low, high)
    tolerance = 1e-9 * max(abs(low), abs(high))
    assert ticks[0] <= low + tolerance
    assert high <= ticks[-1] + tolerance
    assert 2 <= len(ticks) <= MAX_TICKS + 2
    assert len({f"{tick:.{digits}f}" for tick in ticks}) == len(ticks)
