"""SQL: any question to the tables, as the role that only reads, beside what the views hold."""

import time

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.views.sql import cookbook_questions
from mirpipe.db.queries import user_sql
from mirpipe.db.queries.view_catalogue import View, snapshot

FIRST = "v_retrieval_summary"


def views() -> list[View]:
    """The views that readers have, but those of vectors."""
    with snapshot() as now:
        return [view for view in now.views() if not view.vectors]


def write() -> str:
    """The query in the field, which the address holds, or an example that was chosen."""
    examples = cookbook_questions.questions()

    def take() -> None:
        chosen = st.session_state["example"]
        if chosen:
            st.session_state["sql"] = examples[chosen]

    if examples:
        st.selectbox(
            f"Examples ({len(examples)})",
            list(examples),
            index=None,
            key="example",
            on_change=take,
            placeholder="Choose a question",
        )
    return st.text_area(
        "One SELECT; Ctrl+Enter asks it",
        key="sql",
        bind="query-params",
        height=240,
        placeholder=f"SELECT * FROM {FIRST};",
    )


def answer(query: str) -> None:
    """What the server says: rows to sort and to take along, or its complaint as it is."""
    began = time.monotonic()
    try:
        found = user_sql.ask(query)
    except user_sql.BadQuestion as problem:
        st.error("Postgres did not answer this.", icon=":material/error:")
        st.code(str(problem), language=None)
        return
    took = time.monotonic() - began
    cut = f"the first {len(found.rows):,} rows; there are more" if found.is_cut else ""
    st.caption(f"{cut or f'{len(found.rows):,} rows'}, {took:.2f} s")
    tables.frame(pd.DataFrame(found.rows, columns=_unlike(found.columns)), name="Answer")


def _unlike(names: list[str]) -> list[str]:
    """The columns' names, numbered where one comes twice, which a table cannot show."""
    return [
        f"{name} ({names[:at].count(name) + 1})" if name in names[:at] else name
        for at, name in enumerate(names)
    ]


def schema(found: list[View]) -> None:
    """What one view holds, column by column, in words."""
    by_name = {view.name: view for view in found}
    if st.session_state.get("view") not in by_name:
        st.session_state.pop("view", None)
    name = st.selectbox(
        f"Views ({len(by_name)})",
        list(by_name),
        index=list(by_name).index(FIRST) if FIRST in by_name else 0,
        key="view",
        bind="query-params",
    )
    view = by_name[name]
    lines = [
        [
            Markup("<code>{}</code>").format(column.name) + markup.small(column.type),
            column.comment or markup.DASH,
        ]
        for column in view.columns
    ]
    markup.show(
        markup.line(view.comment), markup.table(f"Columns of {name}", ["column", "is"], lines)
    )
    columns = [
        {"view": view.name, "column": column.name, "type": column.type, "comment": column.comment}
        for view in found
        for column in view.columns
    ]
    tables.download(pd.DataFrame(columns), name="All views and columns")


def main() -> None:
    """The page."""
    st.title("SQL", anchor=False)
    st.caption(
        f"As the role that only reads: nothing here can change a number. An answer shows up to "
        f"{user_sql.MOST_ROWS:,} rows and is stopped after {user_sql.MOST_SECONDS} seconds; "
        "`mirpipe db url --role reader` gives what any other client needs."
    )
    ask, know = st.columns([3, 2], gap="large")
    with ask:
        query = write()
        if query and query.strip():
            answer(query)
        else:
            st.info(
                "Choose an example, or write a query over the views beside it.",
                icon=":material/database_search:",
            )
    with know:
        schema(views())


main()
