"""SQL page: runs a query with the read-only role and describes the views."""

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import DASH
from dashboard.data import current_state
from dashboard.views.sql import cookbook_questions, query_answer
from mirpipe.db.queries import user_sql
from mirpipe.db.queries.view_descriptions import View
from mirpipe.db.queries.view_snapshot import snapshot
from mirpipe.db.reader_login import require_reader_login
from mirpipe.errors import ConfigurationError

DEFAULT_VIEW = "v_retrieval_summary"
ANSWER = "answer"
"""Session state key that stores the last answer, so that only the button Run runs a query."""


def described_views() -> list[View]:
    """Return the views that the read-only role can use, except the views that contain vectors."""
    with snapshot() as database:
        return [view for view in database.views() if not view.vectors]


def query_form() -> tuple[str, bool]:
    """Draw the examples and the query form. Return the query, and whether Run was pressed.

    A link or an example fills in a query without running it.
    """
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
    with st.form("query", border=False):
        query = st.text_area(
            "SQL query (one SELECT)",
            key="sql",
            bind="query-params",
            height=240,
            placeholder=f"SELECT * FROM {DEFAULT_VIEW};",
        )
        is_asked = st.form_submit_button("Run", help="or press Ctrl+Enter")
    return (query or "").strip(), is_asked


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
    """Draw the page, or the reason why it is off."""
    st.title("SQL", anchor=False)
    try:
        require_reader_login()
    except ConfigurationError as error:
        st.warning("The SQL page is off.", icon=":material/lock:")
        st.text(str(error))
        return
    st.caption(
        "Queries use a read-only role, so they cannot change anything. A SELECT, VALUES or TABLE "
        f"shows up to {user_sql.MAX_ROWS:,} rows and {user_sql.MAX_BYTES // 2**20} MB, and is "
        f"stopped after {user_sql.MAX_SECONDS} seconds. "
        "To connect with another client, run `mirpipe db url --role reader`."
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        query, is_asked = query_form()
        if query and is_asked:
            st.session_state[ANSWER] = query_answer.ask(query)
        answer = st.session_state.get(ANSWER)
        if query and answer and answer.query == query:
            query_answer.show(answer)
        else:
            st.info(
                "Choose an example, or write a query on the views. Then press Run.",
                icon=":material/database_search:",
            )
    with right:
        view_description(current_state.read(described_views))


main()
