"""Chooses the targets that a page draws: search, labels, order and page, all on the server."""

from collections.abc import Mapping

import streamlit as st

from dashboard.components.heatmap import COLUMNS_PER_PAGE
from dashboard.components.page_choice import choose_page, first_page
from dashboard.data import target_orders
from dashboard.data.cached_queries import RunKey
from mirpipe.db.queries.target_order import ORDERS


def choose_targets(run: RunKey, metric: str | None, *, score_name: str) -> list[int]:
    """Draw the controls if there are several pages, and return the ids of one page of targets.

    The targets are those with matches, or, with `metric`, those with clips. `score_name` says by
    which score they are sorted.
    """
    everything = target_orders.target_order(run, metric, "", "", "", ORDERS[0])
    if len(everything) <= COLUMNS_PER_PAGE:
        return everything
    searching, by_genre, by_instrument, ordering = st.columns([2, 1, 1, 1])
    search = searching.text_input(
        "Search targets", key="target_search", type="search", on_change=first_page
    )
    columns = {"genre": by_genre, "instrument": by_instrument}
    labels: dict[str, str] = {}
    for label, column in columns.items():
        values = target_orders.label_values(run, label)
        if values:
            labels[label] = (
                column.selectbox(
                    label.capitalize(),
                    values,
                    index=None,
                    placeholder="all",
                    key=f"target_{label}",
                    on_change=first_page,
                )
                or ""
            )
    order = ordering.selectbox(
        f"Order of targets ({score_name})", ORDERS, key="target_order", on_change=first_page
    )
    chosen = _chosen(run, metric, search or "", labels, order)
    if not chosen:
        st.info("No target matches this search and these labels.")
    first = (choose_page(len(chosen), COLUMNS_PER_PAGE, noun="targets") - 1) * COLUMNS_PER_PAGE
    return chosen[first : first + COLUMNS_PER_PAGE]


def _chosen(
    run: RunKey, metric: str | None, search: str, labels: Mapping[str, str], order: str
) -> list[int]:
    return target_orders.target_order(
        run, metric, search, labels.get("genre", ""), labels.get("instrument", ""), order
    )
