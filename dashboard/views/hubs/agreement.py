"""Encoder agreement: how similar the result lists are, for each pair of encoders."""

from collections.abc import Sequence, Set

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import DASH, format_number
from dashboard.components.plugin_labels import plugin_cell
from mirpipe.db import queries


def section(rows: Sequence[queries.EncoderAgreement], random: Set[str]) -> None:
    """Draw a table that compares each encoder with each other. `random` encoders are marked."""
    st.header("Do the encoders agree?", anchor=False)
    if not rows:
        st.caption(
            "There is only one encoder, so there is nothing to compare. To use two encoders:"
        )
        st.code("MIRPIPE_ENCODERS=musicnn,signal mirpipe run", language=None)
        return
    lowest, highest = min(row.top1 for row in rows), max(row.top1 for row in rows)
    share = f"{lowest:.0%}" if lowest == highest else f"{lowest:.0%} to {highest:.0%}"
    st.markdown(f"Pairs of encoders find the same best match for {share} of the targets.")
    st.caption(
        "Each cell shows the rank-biased overlap of each target's 50 nearest references (p = 0.9), "
        "from 0 for disjoint lists to 1 for equal lists. The share of targets with the same best "
        "match is shown below the overlap."
    )
    names = list(dict.fromkeys(row.encoder for row in rows))
    row_of = {(row.encoder, row.other): row for row in rows}
    lines = []
    for encoder in names:
        cells = [_cell(row_of.get((encoder, other)), same=encoder == other) for other in names]
        lines.append([plugin_cell(encoder, random=encoder in random), *cells])
    name = "Agreement of encoders"
    columns = ["encoder", *names]
    numeric = range(1, len(columns))
    markup.show(tables.html_table(name, columns, lines, numeric=numeric, narrow=True))
    download_button(rows, name=name)


def _cell(row: queries.EncoderAgreement | None, *, same: bool) -> Markup:
    if row is None:
        return Markup("same encoder" if same else DASH)
    return (
        Markup("{}").format(format_number(row.rbo, 3))
        + markup.small_line(f"same best match {row.top1:.0%}")
        + markup.small_line(f"n = {row.n}")
    )
