"""Heatmaps: a row an encoder or a mode, a column a target, some targets at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd
import streamlit as st

COLUMNS_A_PAGE = 40
"""More columns than this leave no room for their titles."""
ROW_PIXELS, TITLE_PIXELS = 30, 215
NUMBERS_UP_TO = 16
"""Columns; with more of them there is no room for a number in each cell."""
LEGEND = "Light is high. No melody accuracy is drawn where a side is unpitched."
"""What a reader of the heatmaps of a page has to know."""


@dataclass(frozen=True)
class Cell:
    """One number; `row` and `column` are as they are written."""

    row: str
    column: str
    value: float | None
    remark: str = ""


def window(columns: Sequence[str], *, key: str) -> Sequence[str]:
    """The columns to draw: all, or a page of them that the viewer turns and the address holds."""
    pages = -(-len(columns) // COLUMNS_A_PAGE)
    if pages <= 1:
        return columns
    page = st.number_input(
        f"Targets, {COLUMNS_A_PAGE} at a time of {len(columns):,} (page 1 to {pages:,})",
        min_value=1,
        max_value=pages,
        step=1,
        key=key,
        bind="query-params",
        width=320,
    )
    first = (page - 1) * COLUMNS_A_PAGE
    return columns[first : first + COLUMNS_A_PAGE]


def heatmap(
    cells: Sequence[Cell],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    decimals: int,
) -> alt.LayerChart:
    """Light is high; a cell without a number stays empty."""
    data = pd.DataFrame(
        [
            {"row": cell.row, "target": cell.column, "value": cell.value, "remark": cell.remark}
            for cell in cells
            if cell.value is not None
        ],
        columns=["row", "target", "value", "remark"],
    )
    low, high = (data["value"].min(), data["value"].max()) if len(data) else (0.0, 1.0)
    written = f".{decimals}f"
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
            alt.Tooltip("row:N", title="row"),
            alt.Tooltip("target:N"),
            alt.Tooltip("value:Q", title=title, format=written),
            alt.Tooltip("remark:N", title="is"),
        ],
    )
    colour = alt.Color(
        "value:Q",
        scale=alt.Scale(scheme="cividis", domain=[float(low), float(high)]),
        legend=alt.Legend(title=None, orient="top", gradientLength=160, format=written),
    )
    layers = [base.mark_rect().encode(color=colour)]
    if len(columns) <= NUMBERS_UP_TO:
        middle = (float(low) + float(high)) / 2
        ink = alt.condition(alt.datum.value > middle, alt.value("#111111"), alt.value("#ffffff"))
        text = base.mark_text(fontSize=11).encode(
            text=alt.Text("value:Q", format=written), color=ink
        )
        layers.append(text)
    return alt.LayerChart(layer=layers, height=ROW_PIXELS * len(rows) + TITLE_PIXELS)


def show(
    cells: Sequence[Cell],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    decimals: int,
) -> None:
    """The heatmap under its title, or why there is none."""
    st.markdown(f"**{title}**")
    shown = set(columns)
    drawn = [cell for cell in cells if cell.column in shown]
    if not any(cell.value is not None for cell in drawn):
        st.caption("None of these has a number.")
        return
    st.altair_chart(
        heatmap(drawn, rows=rows, columns=columns, title=title, decimals=decimals),
        alt=f"{title}, by target",
    )
