"""CSLS check: how often re-ranking only the nearest references gives the same matches."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.csv_download import download_button
from dashboard.components.plugin_labels import plugin_cell
from mirpipe.db import queries


def section(rows: Sequence[queries.CslsCheck]) -> None:
    """Draw one row per encoder, or nothing if the run has no CSLS check."""
    if not rows:
        return
    kept = rows[0].kept
    st.subheader(f"Is it enough to re-rank the {kept} nearest references?", anchor=False)
    st.caption(
        f"CSLS re-ranks the {kept} nearest references. The table compares the result with the "
        "result of re-ranking all references: the share of targets with the same best match, and "
        "the share of the first ten matches that are the same."
    )
    lines = [
        [
            plugin_cell(row.encoder, random=row.random),
            f"{row.top1_equal:.1%}",
            f"{row.top10_overlap:.1%}",
            f"{row.targets_n:,} × {row.references_n:,}" + (", a sample" if row.is_sample else ""),
            _neighbourhoods(row),
        ]
        for row in rows
    ]
    columns = ["encoder", "same best match", "same first ten", "targets × references"]
    columns.append("neighbourhoods computed among")
    name = "CSLS check"
    markup.show(tables.html_table(name, columns, lines, numeric=(1, 2, 3, 4), narrow=True))
    download_button(rows, name=name)


def _neighbourhoods(row: queries.CslsCheck) -> Markup:
    base = Markup(markup.no_wrap(f"{row.base_n:,} references"))
    if row.base_top1_equal is None or row.base_top10_overlap is None:
        return base
    return base + markup.small_line(
        f"same as with all references: best match {row.base_top1_equal:.1%}, "
        f"first ten {row.base_top10_overlap:.1%}"
    )
