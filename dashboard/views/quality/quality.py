"""Quality page: findings about the audio of the tracks."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.components import markup, tables
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import format_number
from mirpipe.db import queries

NO_FINDINGS = (
    "There are no findings. Ingest looks for damage, silence, clipping, silent or inverted "
    "channels, and a DC offset in every track."
)


def kind_table(counts: Sequence[queries.FindingCount]) -> None:
    """Draw the number of tracks by kind and severity."""
    lines = [[row.kind, row.severity, format_number(row.tracks, 0)] for row in counts]
    name = "Findings by kind"
    columns = ["kind", "severity", "tracks"]
    markup.show(tables.html_table(name, columns, lines, numeric=(2,), narrow=True))
    download_button(counts, name=name)


def finding_frame(findings: Sequence[queries.AudioFinding]) -> pd.DataFrame:
    """Return the findings as the data frame that the page shows and that can be downloaded."""
    return pd.DataFrame(
        {
            "severity": [row.severity for row in findings],
            "kind": [row.kind for row in findings],
            "track": [row.title for row in findings],
            "collection": [row.collection for row in findings],
            "at (s)": [row.seconds for row in findings],
            "finding": [row.detail for row in findings],
            "path": [row.path for row in findings],
        }
    )


def main() -> None:
    """Draw the page, or a message if there are no findings."""
    st.title("Quality", anchor=False)
    counts = queries.finding_counts()
    if not counts:
        st.info(NO_FINDINGS)
        return
    st.subheader("Which tracks have unusual audio?", anchor=False)
    st.caption(
        "These tracks are used. A warning means that their results may be wrong. Files that cannot "
        "be used are on the page Failures."
    )
    kind_table(counts)
    by_kind, by_collection = st.columns(2)
    kinds = by_kind.multiselect(
        "Kind", sorted({row.kind for row in counts}), key="kind", bind="query-params"
    )
    collections = by_collection.multiselect(
        "Collection", ["reference", "target", "generated"], key="collection", bind="query-params"
    )
    findings = finding_frame(queries.findings(kinds=kinds, collections=collections))
    if findings.empty:
        st.info("No finding matches these filters.")
        return
    tables.sortable_table(
        findings,
        name="Findings",
        columns={
            "at (s)": st.column_config.NumberColumn(format="%.1f"),
            "finding": st.column_config.TextColumn(width="large"),
        },
    )


main()
