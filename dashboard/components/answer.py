"""The answer to a page's question, in one paragraph below the page's title."""

import streamlit as st
from markupsafe import Markup


def show(*sentences: str) -> None:
    """Draw the sentences that are not empty, or nothing if all of them are empty."""
    text = " ".join(filter(None, sentences))
    if text:
        st.html(str(Markup("<p class='mp-answer'><bdi>{}</bdi></p>").format(text)))
