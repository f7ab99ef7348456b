"""Finds the heatmaps that a page draws."""

from typing import Any

from streamlit.testing.v1 import AppTest


def heatmaps(app: AppTest) -> list[Any]:
    """Return the charts with the colours of heatmaps, in the order of the page."""
    return [chart for chart in app.get("vega_lite_chart") if "cividis" in chart.proto.spec]
