"""Chooses one page of rows. The server reads and sends only the rows of this page."""

import streamlit as st

PAGE_KEY = "page"


def first_page() -> None:
    """Return to the first page, because other rows are listed now."""
    st.session_state[PAGE_KEY] = 1


def choose_page(rows: int, rows_per_page: int, *, noun: str, key: str = PAGE_KEY) -> int:
    """Draw the page selector if there are several pages, and return the chosen page, from 1.

    `noun` says what the rows are, in the plural. `key` is the query parameter of the page.
    """
    pages = -(-rows // rows_per_page)
    if pages <= 1:
        return 1
    if st.session_state.get(key, 1) > pages:
        st.session_state[key] = pages
    return st.number_input(
        f"Page (1 to {pages:,}; {rows_per_page} {noun} per page)",
        min_value=1,
        max_value=pages,
        step=1,
        key=key,
        bind="query-params",
        width=320,
    )
