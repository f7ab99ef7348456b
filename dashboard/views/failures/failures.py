"""Failures page: the failure ledger, with each failure's reason and whether it is retried."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from dashboard.components import answer, empty_states, markup, tables
from dashboard.components.bar_list import Bar, bar_list, filter_link
from dashboard.components.csv_download import download_button
from dashboard.components.link_values import accept_codes
from dashboard.components.metric_labels import reason_text
from dashboard.components.number_format import format_number
from dashboard.components.page_choice import choose_page, first_page
from dashboard.data import cached_queries, current_state
from mirpipe.db import queries
from mirpipe.db.queries.page_answers import failures_answer, failures_remedy

ROWS_PER_PAGE = 200
RETRIED = {True: "yes", False: "no, bad input"}
NOTES = {True: "tried again", False: "not tried again: bad input"}
"""Whether the next run tries again, behind the bars of the chart."""
SHOWN = ["reason", "item", "stage", "plug-in", "retried", "last seen"]
"""Columns of the table on the page. The CSV file has more."""


def reason_chart(counts: Sequence[queries.FailureCount]) -> None:
    """Draw the number of failures by stage and reason. A name links to these failures."""
    name = "Failures by stage and reason"
    bars = []
    for row in counts:
        reason = reason_text(row.reason)
        address = f"failures?{urlencode({'stage': row.stage, 'reason': reason})}"
        link = filter_link(f"{row.stage}: {reason}", address)
        bars.append(Bar(link, row.items, NOTES[row.retry]))
    markup.show(bar_list(name, bars))
    download_button(counts, name=name)


def message_table(failures: Sequence[queries.Failure]) -> None:
    """Draw the different messages, which end with the remedies, and how many failures have each."""
    counts = Counter((row.reason, row.message) for row in failures)
    lines = [
        [reason_text(reason), markup.quote(message), format_number(n, 0)]
        for (reason, message), n in counts.items()
    ]
    columns = ["reason", "message", "failures"]
    markup.show(tables.html_table("Messages", columns, lines, numeric=(2,)))


def failure_frame(failures: Sequence[queries.Failure]) -> pd.DataFrame:
    """Return the failures as a data frame, without columns that are empty."""
    data = pd.DataFrame(
        {
            "stage": [row.stage for row in failures],
            "plug-in": [row.plugin for row in failures],
            "reason": [reason_text(row.reason) for row in failures],
            "item": [row.title or row.subject for row in failures],
            "message": [row.message for row in failures],
            "retried": [RETRIED[row.retry] for row in failures],
            "attempts": [row.attempts for row in failures],
            "last seen": [row.last_seen for row in failures],
            "first seen": [row.first_seen for row in failures],
            "subject": [row.subject for row in failures],
            "revision": [row.revision for row in failures],
        }
    )
    return data[[column for column in data if (data[column] != "").any()]]


def main() -> None:
    """Draw the page, or a message if the failure ledger is empty."""
    st.title("Failures", anchor=False)
    counts = cached_queries.failure_counts()
    if not counts:
        empty_states.no_failures()
        return
    answer.show(failures_answer(counts), failures_remedy(counts))
    st.header("What failed, and why?", anchor=False)
    st.caption(
        "Each bar shows a number of failures. Failures that are due to bad input are not tried "
        "again until the input changes."
    )
    reason_chart(counts)
    by_stage, by_reason, by_text = st.columns(3)
    stages = by_stage.multiselect(
        "Stage",
        sorted({row.stage for row in counts}),
        key="stage",
        bind="query-params",
        on_change=first_page,
    )
    codes = sorted({row.reason for row in counts})
    accept_codes("reason", codes, reason_text)
    reasons = by_reason.multiselect(
        "Reason",
        codes,
        format_func=reason_text,
        key="reason",
        bind="query-params",
        on_change=first_page,
    )
    search = by_text.text_input(
        "Search title, path and message",
        key="search",
        type="search",
        bind="query-params",
        on_change=first_page,
    )
    chosen: dict[str, Any] = {"stages": stages, "reasons": reasons, "search": search or ""}
    found = current_state.read(queries.failures_n, **chosen)
    if not found:
        st.info("No failure matches these filters.")
        return
    offset = (choose_page(found, ROWS_PER_PAGE, noun="failures") - 1) * ROWS_PER_PAGE
    rows = current_state.read(queries.failures, **chosen, limit=ROWS_PER_PAGE, offset=offset)
    message_table(rows)
    data = failure_frame(rows)
    tables.sortable_table(
        data[[column for column in SHOWN if column in data]],
        name="Failures",
        all_rows=lambda: failure_frame(queries.failures(**chosen)),
        tracks=tables.track_ids(rows, item="track_id"),
        columns={
            "item": st.column_config.TextColumn(width="large"),
            "last seen": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        },
    )


main()
