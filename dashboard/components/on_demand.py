"""A section that is drawn when the reader opens it, so that the page is complete sooner."""

from collections.abc import Callable

import streamlit as st


@st.fragment
def section(label: str, draw: Callable[[], None]) -> None:
    """Draw a closed section with this label. If the reader opens it, call `draw` for its content.

    Opening it does not draw the rest of the page again. The label must be unique on the page.
    """
    with st.expander(label, key=label, on_change="rerun") as content:
        if content.open:
            draw()
