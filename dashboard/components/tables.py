"""Two kinds of tables: plain HTML tables, and tables that can be sorted and searched."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from markupsafe import Markup
from pandas.io.formats.style import Styler

from dashboard.components.csv_download import Rows, download_button
from dashboard.components.number_format import DASH, format_number
from dashboard.components.track_link import open_track

MAX_CHOICES = 1_000
"""Largest number of tracks in a selector. The server sends all of them in each run of a page."""


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


def track_ids(rows: Sequence[Any], **id_fields: str) -> dict[str, list[int | None]]:
    """Return the track ids for each column of titles, from the fields of the rows.

    For example, `target="target_id"` means that the column "target" contains titles of the tracks
    with the ids in the field `target_id`.
    """
    return {
        column: [getattr(row, id_field) for row in rows] for column, id_field in id_fields.items()
    }


def sortable_table(
    data: pd.DataFrame,
    *,
    name: str,
    columns: Mapping[str, Any] | None = None,
    tracks: Mapping[str, Sequence[int | None]] | None = None,
    all_rows: Callable[[], Rows] | None = None,
    decimals: Mapping[str, int] | None = None,
) -> None:
    """Draw a table that can be sorted and searched, and a button to download it as CSV.

    `tracks` contains the track ids for each column of titles, in the order of the rows. A click on
    such a title opens the page of the track. The table is a picture for the browser, so a selector
    below it does the same for the keyboard and for screen readers. A column without any track has
    neither. If `data` is only one page, `all_rows` returns the rows of all pages for the CSV file.
    `decimals` contains the number of decimals for columns of numbers, which are then written as by
    `format_number`. Streamlit writes the numbers of other columns, with a hyphen as minus sign.
    """
    configured = dict(columns or {})
    ids_of = {column: ids for column, ids in (tracks or {}).items() if any(ids)}
    for place, column in enumerate(ids_of):
        configured[column] = st.column_config.ButtonColumn(
            configured.get(column),
            type="tertiary",
            alignment="left",
            pinned=place == 0,  # Stays in view while the table scrolls sideways.
            key=f"{name} {column}",
        )
    shown = with_formatted_numbers(data, decimals) if decimals else data
    st.dataframe(shown, hide_index=True, column_config=configured, placeholder=DASH, alt=name)
    for column, ids in ids_of.items():
        click = st.session_state.get(f"{name} {column}")
        track_id = None if click is None else ids[click["row"]]
        if track_id is not None:
            open_track(track_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        download_button(all_rows or data, name=name)
        if ids_of:
            _choose_track(data, name, ids_of)


def with_formatted_numbers(data: pd.DataFrame, decimals: Mapping[str, int]) -> Styler:
    """Return the data with texts for these columns of numbers. They are still sorted by value."""
    formats: dict[Any, Any] = {
        column: partial(format_number, decimals=n) for column, n in decimals.items()
    }
    return data.style.format(formats, na_rep=DASH)


def _choose_track(
    data: pd.DataFrame, name: str, ids_of: Mapping[str, Sequence[int | None]]
) -> None:
    """Draw a selector with the tracks of the table. A choice opens the page of the track.

    If there are too many tracks, draw a link to the list of all tracks, which can be searched.
    """
    title_of = {
        track_id: str(title)
        for column, ids in ids_of.items()
        for track_id, title in zip(ids, data[column], strict=True)
        if track_id is not None
    }
    if len(title_of) > MAX_CHOICES:
        st.page_link("views/tracks/tracks.py", label="Find a track by its name")
        return
    track_id = st.selectbox(
        f"Open a track of the table {name}",
        sorted(title_of, key=lambda track_id: (title_of[track_id].casefold(), track_id)),
        index=None,
        format_func=title_of.__getitem__,
        placeholder="Open the page of a track: choose or type",
        key=f"open a track of {name}",
        label_visibility="collapsed",
        width=420,
    )
    if track_id is not None:
        open_track(track_id)
