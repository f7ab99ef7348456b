"""Two kinds of tables: plain HTML tables, and tables that can be sorted and searched."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components.csv_download import download_button


def html_table(
    name: str,
    columns: Sequence[str | Markup],
    rows: Sequence[Sequence[str | Markup]],
    *,
    numeric: Sequence[int] = (),
    narrow: bool = False,
) -> Markup:
    """Return an HTML table that scrolls sideways in a narrow window.

    `name` is the table's label for screen readers. `numeric` contains the indices of the
    right-aligned columns. A `narrow` table is only as wide as its content.
    """

    def cells(tag: str, values: Sequence[str | Markup]) -> Markup:
        return Markup("").join(
            Markup("<{0}{1}>{2}</{0}>").format(
                Markup(tag), Markup(" class='mp-number'" if index in numeric else ""), value
            )
            for index, value in enumerate(values)
        )

    head = Markup("<tr>{}</tr>").format(cells("th", columns))
    body = Markup("").join(Markup("<tr>{}</tr>").format(cells("td", row)) for row in rows)
    return Markup(
        "<div class='mp-scroll' tabindex='0' role='region' aria-label='{}'>"
        "<table class='mp-table{}'><thead>{}</thead><tbody>{}</tbody></table></div>"
    ).format(name, Markup(" mp-narrow" if narrow else ""), head, body)


def sortable_table(
    data: pd.DataFrame, *, name: str, columns: Mapping[str, Any] | None = None
) -> None:
    """Draw a table that can be sorted and searched, and a button to download it as CSV."""
    st.dataframe(data, hide_index=True, column_config=columns, alt=name)
    download_button(data, name=name)
