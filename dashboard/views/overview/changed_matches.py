"""The best matches that the last run changed, in pages of rows."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.components import tables
from dashboard.components.page_choice import choose_page
from dashboard.data import cached_queries
from mirpipe.db import queries

ROWS_PER_PAGE = 200
COLUMNS = ["encoder", "target", "previous", "reference", "cause"]
OPEN = "changes"
"""Query parameter that says whether the list is open."""


def section(run: queries.Run) -> None:
    """Draw the changed best matches, or nothing if there are none.

    They are read and sent only after the viewer has opened the list.
    """
    if not run.changes:
        return
    label = f"Best matches that run {run.run_id} changed"
    with st.expander(label, key=OPEN, bind="query-params") as matches:
        if matches.open:
            _table(run)


def _table(run: queries.Run) -> None:
    """Draw one page of the changed best matches, and a button to download all of them."""
    page = choose_page(sum(run.changes.values()), ROWS_PER_PAGE, noun="changes")
    key, offset = cached_queries.run_key(run), (page - 1) * ROWS_PER_PAGE
    changes = cached_queries.best_match_changes(key, ROWS_PER_PAGE, offset)
    tables.sortable_table(
        _frame(changes),
        name="Changed best matches",
        all_rows=lambda: _frame(queries.best_match_changes(run.run_id)),
        tracks=tables.track_ids(
            changes, target="target_id", previous="previous_id", reference="reference_id"
        ),
    )


def _frame(changes: Sequence[queries.BestMatchChange]) -> pd.DataFrame:
    return pd.DataFrame(changes)[COLUMNS]
