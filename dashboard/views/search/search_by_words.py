"""Search by words: the text field and the cached search."""

import streamlit as st

from dashboard.data.cached_queries import RunKey
from mirpipe import search_process
from mirpipe.db.queries.vector_search import NearReference

ASKED = "words that were searched for"
"""Session state key that stores the last words for which the viewer pressed Search."""


def hits_for_words(run: RunKey | None, encoder: str, k: int) -> list[NearReference] | None:
    """Draw the text field, and return the hits for its text after the viewer pressed Search.

    A link only fills in the text: the search loads a model, which can take a minute.
    """
    with st.form("words", border=False):
        text = st.text_input(
            "What should it sound like?",
            key="q",
            bind="query-params",
            placeholder="slow dizi solo",
            max_chars=search_process.MAX_CHARACTERS,
        )
        is_asked = st.form_submit_button("Search", icon=":material/search:")
    words = (text or "").strip()
    if is_asked:
        st.session_state[ASKED] = words
    if not words or st.session_state.get(ASKED) != words:
        st.caption("Describe the music in a few words, preferably in English. Then press Search.")
        return None
    with st.spinner(f"Searching with {encoder}. Loading the model can take up to a minute …"):
        return _cached_search(run, words, encoder, k)


@st.cache_data(max_entries=50, show_spinner=False)
def _cached_search(
    run: RunKey | None,  # noqa: ARG001  (part of the cache key: a new run has new references)
    words: str,
    encoder: str,
    k: int,
) -> list[NearReference]:
    return search_process.search_by_words(words, encoder=encoder, k=k)
