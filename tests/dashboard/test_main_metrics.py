"""Which metrics are shown first, and which mean is marked as the highest."""

from dataclasses import dataclass

from dashboard.components.main_metrics import highest_mean, split_metrics
from dashboard.components.statistics_cells import mean_cell
from mirpipe.db import queries


@dataclass(frozen=True)
class Row:
    metric: str
    mean: float | None
    random: bool = False
    metric_random: bool = False


def test_the_primary_metric_leads_and_metrics_without_values_are_left_out() -> None:
    rows = [Row(metric, None if metric == "c" else 0.5) for metric in "abcdefg"]
    assert split_metrics("abcdefg", rows, primary="e") == (["e", "a", "b", "d"], ["f", "g"])
    assert split_metrics("ab", rows, primary="c") == (["a", "b"], [])


def test_the_highest_mean_ignores_random_weights_and_needs_two_values() -> None:
    rows = [
        *(Row("a", 0.25), Row("a", 0.5), Row("a", 0.9, random=True)),
        *(Row("a", 0.8, metric_random=True), Row("b", 1.0)),
    ]
    assert highest_mean(rows, "a") == 0.5
    assert highest_mean(rows, "b") is None
    assert highest_mean([Row("a", 0.5), Row("a", None)], "a") is None


def test_the_highest_mean_is_marked_in_words() -> None:
    row = queries.RetrievalSummary("signal", "z", 3, 0, 0.5, 0.1, "none", False)
    assert "highest" in mean_cell(row, 2, highest=0.5)
    assert "highest" not in mean_cell(row, 2, highest=0.75)
    assert "highest" not in mean_cell(row, 2)
