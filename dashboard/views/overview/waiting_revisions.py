"""New revisions that wait to replace the active ones, with the verdict of `mirpipe compare`."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import DASH, format_local_time
from dashboard.components.plugin_labels import plugin_cell
from mirpipe.db import queries


def section(rows: Sequence[queries.Challenger]) -> None:
    """Draw the revisions that wait, or nothing if there are none."""
    if not rows:
        return
    st.header("Which new revisions wait?", anchor=False)
    st.caption(
        "The results are those of the active revisions. A complete revision waits if the setting "
        "MIRPIPE_PROMOTION says so. `mirpipe compare NAME` compares it with the active one, and "
        "`mirpipe promote NAME` makes it active."
    )
    lines = [
        [
            plugin_cell(row.name, random=row.random),
            row.kind,
            _code(row.revision),
            _code(row.active_revision),
            queries.progress_text(row),
            Markup("<strong>{}</strong>").format(queries.verdict_text(row)),
            queries.margins_text(row) or DASH,
            markup.wide(markup.any_direction(" ".join(row.sentences) or DASH)),
            markup.no_wrap(format_local_time(row.compared_at) if row.compared_at else DASH),
            row.licence_weights or DASH,
        ]
        for row in rows
    ]
    columns = ["name", "kind", "waiting revision", "active revision", "progress", "verdict"]
    columns += ["margin", "what would change", "compared", "licence of weights"]
    markup.show(tables.html_table("Waiting revisions", columns, lines))
    download_button(rows, name="Waiting revisions")


def _code(revision: str) -> Markup:
    return Markup("<code>{}</code>").format(revision[:12])
