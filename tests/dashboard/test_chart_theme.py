"""Tests of the colours of the words in charts."""

import json
import tomllib

import pytest

from dashboard.components.chart_theme import TEXT_COLOURS
from mirpipe.settings import PROJECT
from tests.dashboard.open_page import page
from tests.support.databases import Database


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour such as #FFFFFF, as WCAG defines it."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_in_charts_have_enough_contrast(theme: str) -> None:
    configured = tomllib.loads((PROJECT / "dashboard/.streamlit/config.toml").read_text())
    background = luminance(configured["theme"][theme]["backgroundColor"])
    words = luminance(TEXT_COLOURS[theme])
    low, high = sorted((words, background))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_charts_have_these_colours(filled: Database) -> None:
    for chart in page("retrieval").get("vega_lite_chart"):
        config = json.loads(chart.proto.spec)["config"]
        for part in ("axis", "legend", "header"):
            assert config[part]["labelColor"] == TEXT_COLOURS["light"]
            assert config[part]["titleColor"] == TEXT_COLOURS["light"]
