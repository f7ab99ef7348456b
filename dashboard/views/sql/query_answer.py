"""The answer to a query on the SQL page: its rows, and what was left out; or an error message."""

import time
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard.components import tables
from mirpipe.db.queries import user_sql


@dataclass(frozen=True)
class Answer:
    """The result of a query, or the error message, and the time that the query took."""

    query: str
    result: user_sql.QueryResult | str
    seconds: float


def ask(query: str) -> Answer:
    """Run the query and return the answer."""
    start = time.monotonic()
    result: user_sql.QueryResult | str
    try:
        result = user_sql.run_query(query)
    except user_sql.QueryFailed as error:
        result = str(error)
    return Answer(query, result, time.monotonic() - start)


def show(answer: Answer) -> None:
    """Draw the resulting rows, or the error message."""
    result = answer.result
    if isinstance(result, str):
        st.error("The query failed.", icon=":material/error:")
        st.code(result, language=None, wrap_lines=True)
        return
    st.caption(f"{len(result.rows):,} rows, {answer.seconds:.2f} s")
    if cuts := _cuts(result):
        st.warning(" ".join(cuts), icon=":material/content_cut:")
    data = pd.DataFrame(result.rows, columns=_unique_columns(result.columns))
    tables.sortable_table(data, name="Result")


def _cuts(result: user_sql.QueryResult) -> list[str]:
    """Return sentences that say what was left out and how to get everything, or an empty list."""
    cuts = []
    if result.reached == "max_rows":
        cuts.append("There are more rows than are shown here.")
    if result.reached == "max_bytes":
        megabytes = f"{user_sql.MAX_BYTES // 2**20} MB"
        cuts.append(f"There are more rows, but only the first {megabytes} are shown here.")
    if result.cut_values:
        cuts.append(
            f"Long values were cut to {result.max_characters:,} characters "
            f"({result.cut_values:,} in total). They end with `…`."
        )
    if cuts:
        cuts.append(
            'To get everything, run `mirpipe db psql --csv -c "QUERY" > result.csv` in a terminal. '
            "`mirpipe export` saves complete views."
        )
    return cuts


def _unique_columns(names: list[str]) -> list[str]:
    """Return unique column names: each repeated name has a number appended."""
    return [
        f"{name} ({names[:index].count(name) + 1})" if name in names[:index] else name
        for index, name in enumerate(names)
    ]
