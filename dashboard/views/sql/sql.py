"""SQL page: runs a query with the read-only role and describes the views."""

import time

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import DASH
from dashboard.views.sql import cookbook_questions
from mirpipe.db.queries import user_sql
from mirpipe.db.queries.view_descriptions import View
from mirpipe.db.queries.view_snapshot import snapshot

DEFAULT_VIEW = "v_retrieval_summary"


def described_views() -> list[View]:
    """Return the views that the read-only role can use, except the views that contain vectors."""
    with snapshot() as database:
        return [view for view in database.views() if not view.vectors]


def query_field() -> str:
    """Draw the examples and the query field, and return the query. The address contains it."""
    examples = cookbook_questions.questions()

    def use_example() -> None:
        chosen = st.session_state["example"]
        if chosen:
            st.session_state["sql"] = examples[chosen]

    if examples:
        st.selectbox(
            f"Examples ({len(examples)})",
            list(examples),
            index=None,
            key="example",
            on_change=use_example,
            placeholder="Choose a question",
        )
    return st.text_area(
        "SQL query (one SELECT; press Ctrl+Enter to run it)",
        key="sql",
        bind="query-params",
        height=240,
        placeholder=f"SELECT * FROM {DEFAULT_VIEW};",
    )


def show_result(query: str) -> None:
    """Run the query and draw the resulting rows, or the error message."""
    start = time.monotonic()
    try:
        result = user_sql.run_query(query)
    except user_sql.QueryFailed as error:
        st.error("The query failed.", icon=":material/error:")
        st.code(str(error), language=None)
        return
    seconds = time.monotonic() - start
    rows = f"{len(result.rows):,} rows"
    if result.is_cut:
        rows = f"The first {rows}; there are more"
    st.caption(f"{rows}, {seconds:.2f} s")
    data = pd.DataFrame(result.rows, columns=_unique_columns(result.columns))
    tables.sortable_table(data, name="Result")


def _unique_columns(names: list[str]) -> list[str]:
    """Return unique column names: each repeated name has a number appended."""
    return [
        f"{name} ({names[:index].count(name) + 1})" if name in names[:index] else name
        for index, name in enumerate(names)
    ]


def view_description(views: list[View]) -> None:
    """Draw the columns of a view that the viewer chooses, with their meanings."""
    view_of = {view.name: view for view in views}
    if st.session_state.get("view") not in view_of:
        st.session_state.pop("view", None)
    name = st.selectbox(
        f"Views ({len(view_of)})",
        list(view_of),
        index=list(view_of).index(DEFAULT_VIEW) if DEFAULT_VIEW in view_of else 0,
        key="view",
        bind="query-params",
    )
    view = view_of[name]
    lines = [
        [
            Markup("<code>{}</code>").format(column.name) + markup.small_line(column.type),
            column.comment or DASH,
        ]
        for column in view.columns
    ]
    markup.show(
        markup.muted_line(view.comment),
        tables.html_table(f"Columns of {name}", ["column", "meaning"], lines),
    )
    columns = [
        {"view": view.name, "column": column.name, "type": column.type, "comment": column.comment}
        for view in views
        for column in view.columns
    ]
    download_button(pd.DataFrame(columns), name="All views and columns")


def main() -> None:
    """Draw the page."""
    st.title("SQL", anchor=False)
    st.caption(
        "Queries use a read-only role, so they cannot change anything. Up to "
        f"{user_sql.MAX_ROWS:,} rows are shown. A query is stopped after {user_sql.MAX_SECONDS} "
        "seconds. "
        "To connect with another client, run `mirpipe db url --role reader`."
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        query = query_field()
        if query and query.strip():
            show_result(query)
        else:
            st.info(
                "Choose an example, or write a query on the views.",
                icon=":material/database_search:",
            )
    with right:
        view_description(described_views())


main()
