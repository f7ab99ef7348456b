"""Colours of the words in charts. Streamlit's own grey has too little contrast on white."""

import altair as alt
import streamlit as st

NAME = "mirpipe"
TEXT_COLOURS = {"light": "#59616b", "dark": "#c3c8cf"}
"""Colour of labels and titles on the background of each theme."""


def enable() -> None:
    """Use these colours in all charts. Everything else remains as in Streamlit's theme."""
    alt.theme.enable(NAME)


@alt.theme.register(NAME, enable=False)
def _theme() -> alt.theme.ThemeConfig:
    """Return the colours for the theme of the viewer whose page is drawn."""
    colour = TEXT_COLOURS[st.context.theme.type or "light"]
    axis: alt.theme.AxisConfigKwds = {"labelColor": colour, "titleColor": colour}
    legend: alt.theme.LegendConfigKwds = {"labelColor": colour, "titleColor": colour}
    header: alt.theme.HeaderConfigKwds = {"labelColor": colour, "titleColor": colour}
    return {"config": {"axis": axis, "legend": legend, "header": header}}
