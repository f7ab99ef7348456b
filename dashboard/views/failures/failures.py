"""Failures: the ledger, with what went wrong, why, and whether it will be tried again."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.components import empty_states, markup, tables
from dashboard.data import cached_queries
from mirpipe.db import queries

AGAIN = {True: "yes", False: "no, bad input"}


def counted(counts: Sequence[queries.FailureCount]) -> None:
    """The ledger by stage and reason."""
    heads = ["stage", "reason", "tried again", "items"]
    lines = [
        [row.stage, row.reason, AGAIN[row.retry], markup.number(row.items, 0)] for row in counts
    ]
    markup.show(markup.table("The ledger by reason", heads, lines, numeric=(3,), narrow=True))
    tables.download(counts, name="The ledger by reason")


def ledger(failures: Sequence[queries.Failure]) -> pd.DataFrame:
    """The rows as they are shown and downloaded."""
    return pd.DataFrame(
        {
            "stage": [row.stage for row in failures],
            "plug-in": [row.plugin for row in failures],
            "reason": [row.reason for row in failures],
            "what": [row.title or row.subject for row in failures],
            "message": [row.message for row in failures],
            "tried again": [AGAIN[row.retry] for row in failures],
            "attempts": [row.attempts for row in failures],
            "last seen": [row.last_seen for row in failures],
            "first seen": [row.first_seen for row in failures],
            "subject": [row.subject for row in failures],
            "revision": [row.revision for row in failures],
        }
    )


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Failures", anchor=False)
    counts = cached_queries.failure_counts()
    if not counts:
        empty_states.failures()
        return
    counted(counts)
    by_stage, by_reason, by_text = st.columns(3)
    stages = by_stage.multiselect(
        "Stage", sorted({row.stage for row in counts}), key="stage", bind="query-params"
    )
    reasons = by_reason.multiselect(
        "Reason", sorted({row.reason for row in counts}), key="reason", bind="query-params"
    )
    search = by_text.text_input(
        "Search title, path and message", key="search", type="search", bind="query-params"
    )
    table = ledger(queries.failures(stages=stages, reasons=reasons, search=search or ""))
    if table.empty:
        st.info("Nothing in the ledger matches these filters.")
        return
    tables.frame(
        table,
        name="Failures",
        columns={
            "message": st.column_config.TextColumn(width="large"),
            "last seen": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "first seen": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        },
    )


main()
