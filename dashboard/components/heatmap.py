"""Heatmaps with one row per encoder or mode, and one column per target of the chosen page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.components.link_values import accept_codes
from dashboard.components.metric_labels import single_value_label
from dashboard.components.track_link import open_track

COLUMNS_PER_PAGE = 40
"""Largest number of columns with titles. With more columns, there is no room for titles."""
ROW_PIXELS, TITLE_PIXELS = 30, 215
MAX_COLUMNS_WITH_NUMBERS = 16
"""Largest number of columns with numbers in the cells. With more, there is no room for them."""
DEVIATIONS = 2
"""The colours cover this number of standard deviations around the means over all targets."""
SHARES = ("aligned_melody", "melody_accuracy", "melody_accuracy_melodic", "melody_oti")
"""Metrics that are shares of notes or of frames, 0 to 1."""
METRIC = "cells"
"""Key of the control for the metric, and its parameter in the address."""
CLICK = "clicked"
"""Name of the chart's selection, which contains the track of the clicked cell."""
LEGEND = (
    "Lighter cells have higher values. The colours cover the values within two standard deviations "
    "of the means over all targets, and values beyond have the colours of the ends. Melody "
    "accuracy is shown only for pitched pairs."
)
"""Explanation for the viewers of a page with heatmaps."""


@dataclass(frozen=True)
class Cell:
    """A heatmap value with the names of its row and column, and a remark for the tooltip."""

    row: str
    column: str
    value: float | None
    remark: str = ""
    track_id: int | None = None
    """Track whose page a click opens. None if a click does nothing."""


class Summary(Protocol):
    """Mean and standard deviation of a metric over all targets."""

    @property
    def metric(self) -> str: ...
    @property
    def mean(self) -> float | None: ...
    @property
    def sd(self) -> float | None: ...


def value_range(rows: Sequence[Summary], metric: str) -> tuple[float, float] | None:
    """Return the range of the colours: two standard deviations around the means of all rows.

    It contains only values that the metric can have. None if the metric has no mean, or if all its
    values are equal.
    """
    known = [
        (row.mean, row.sd)
        for row in rows
        if row.metric == metric and row.mean is not None and row.sd is not None
    ]
    low = min((mean - DEVIATIONS * sd for mean, sd in known), default=0.0)
    high = max((mean + DEVIATIONS * sd for mean, sd in known), default=0.0)
    lowest, highest = possible_range(metric)
    low, high = max(low, lowest), min(high, highest)
    return (low, high) if low < high else None


def possible_range(metric: str) -> tuple[float, float]:
    """Return the lowest and the highest value that a metric can have."""
    if metric == "percentile":
        return 0.0, 100.0
    if metric in SHARES:
        return 0.0, 1.0
    if metric.startswith("cosine") or metric.endswith(("_similarity", "_text_score")):
        return -1.0, 1.0
    return -math.inf, math.inf


def choose_metric(metrics: Sequence[str]) -> str | None:
    """Draw a control if there are several metrics. Return the chosen one, or None without metrics.

    A page has only one heatmap, because a heatmap of 40 targets takes 30 kB and a third of a second
    in the browser.
    """
    if len(metrics) < 2:
        return next(iter(metrics), None)
    accept_codes(METRIC, metrics, single_value_label)
    if st.session_state.get(METRIC) not in metrics:
        st.session_state.pop(METRIC, None)
    chosen = st.segmented_control(
        "The cells show",
        metrics,
        default=metrics[0],
        format_func=single_value_label,
        key=METRIC,
        bind="query-params",
        required=True,
    )
    return chosen or metrics[0]


def heatmap(
    cells: Sequence[Cell],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    decimals: int,
    names: tuple[str, str],
    colours: tuple[float, float] | None = None,
) -> alt.LayerChart:
    """Return the chart. Lighter cells have higher values. Cells without a value are empty.

    `names` says in the tooltip what a row and a remark are. The colours cover the values `colours`,
    so that they mean the same on all pages of targets. Without it, they cover the values of the
    cells.
    """
    data = pd.DataFrame(
        [
            {
                "row": cell.row,
                "target": cell.column,
                "value": cell.value,
                "remark": cell.remark,
                "track_id": cell.track_id,
            }
            for cell in cells
            if cell.value is not None
        ],
        columns=["row", "target", "value", "remark", "track_id"],
    )
    own_range = (data["value"].min(), data["value"].max()) if len(data) else (0.0, 1.0)
    low, high = colours or own_range
    number_format = f".{decimals}f"
    base = alt.Chart(data).encode(
        x=alt.X(
            "target:N",
            sort=list(columns),
            title=None,
            scale=alt.Scale(domain=list(columns)),
            axis=alt.Axis(labelAngle=-50, labelLimit=130, labelOverlap=False, ticks=False),
        ),
        y=alt.Y(
            "row:N",
            sort=list(rows),
            title=None,
            scale=alt.Scale(domain=list(rows)),
            axis=alt.Axis(labelLimit=150, labelOverlap=False, ticks=False),
        ),
        tooltip=[
            alt.Tooltip("row:N", title=names[0]),
            alt.Tooltip("target:N"),
            alt.Tooltip("value:Q", title=title, format=number_format),
            alt.Tooltip("remark:N", title=names[1]),
        ],
    )
    colour = alt.Color(
        "value:Q",
        scale=alt.Scale(scheme="cividis", domain=[float(low), float(high)], clamp=True),
        legend=alt.Legend(title=None, orient="top", gradientLength=160, format=number_format),
    )
    click = alt.selection_point(name=CLICK, fields=["track_id"], on="click", empty=False)
    layers = [base.mark_rect(cursor="pointer").encode(color=colour).add_params(click)]
    if len(columns) <= MAX_COLUMNS_WITH_NUMBERS:
        middle = (float(low) + float(high)) / 2
        text_colour = alt.condition(
            alt.datum.value > middle, alt.value("#111111"), alt.value("#ffffff")
        )
        text = base.mark_text(fontSize=11).encode(
            text=alt.Text("value:Q", format=number_format), color=text_colour
        )
        layers.append(text)
    return alt.LayerChart(layer=layers, height=ROW_PIXELS * len(rows) + TITLE_PIXELS)


def show_heatmap(
    cells: Sequence[Cell],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    decimals: int,
    names: tuple[str, str],
    colours: tuple[float, float] | None = None,
) -> None:
    """Draw the title and below it the heatmap, or nothing if there are no values."""
    visible = [cell for cell in cells if cell.column in set(columns)]
    if not any(cell.value is not None for cell in visible):
        return
    st.subheader(title, anchor=False)
    event = st.altair_chart(
        heatmap(
            visible,
            rows=rows,
            columns=columns,
            title=title,
            decimals=decimals,
            names=names,
            colours=colours,
        ),
        alt=f"{title}, by target",
        key=f"heatmap {title}",
        on_select="rerun",
        selection_mode=CLICK,
    )
    for clicked in event.selection.get(CLICK) or []:
        if clicked.get("track_id"):
            open_track(int(clicked["track_id"]))
