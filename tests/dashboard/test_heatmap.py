"""Tests of the colours of heatmaps."""

import pytest

from dashboard.components.heatmap import value_range
from mirpipe.db import queries


@pytest.mark.parametrize(
    ("metric", "mean", "sd", "colours"),
    [
        ("aligned_melody", 0.25, 0.25, (0.0, 0.75)),
        ("percentile", 99.0, 1.0, (97.0, 100.0)),
        ("clap_similarity", 0.0, 2.0, (-1.0, 1.0)),
        ("z", 1.0, 1.0, (-1.0, 3.0)),
        ("aligned_melody", 0.5, 0.0, None),
    ],
)
def test_the_colours_cover_only_values_that_are_possible(
    metric: str, mean: float, sd: float, colours: tuple[float, float] | None
) -> None:
    row = queries.RetrievalSummary("a", metric, 11, 0, mean, sd, "none", False)
    assert value_range([row], metric) == colours
