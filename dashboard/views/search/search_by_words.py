"""Search by a description of the sound: the button, the cached search, and how to add CLAP."""

import streamlit as st

from dashboard.data.cached_queries import RunKey
from dashboard.views.search.search_results import Query
from mirpipe import search_process
from mirpipe.db.queries.vector_search import NearReference

ASKED = "words that were searched for"
"""Session state key that stores the last text for which the viewer pressed the button."""


def is_asked(words: str) -> bool:
    """Draw the button, and return whether the viewer pressed it for these words.

    A link only fills in the text: the search loads a model, which can take a minute.
    """
    if st.button("Find references that sound like this text", icon=":material/graphic_eq:"):
        st.session_state[ASKED] = words
    return st.session_state.get(ASKED) == words


def query(words: str) -> Query:
    """Return the words as a query. The search field already shows them."""
    return Query(words, [], lambda _level: None)


@st.cache_data(max_entries=50, show_spinner=False)
def search_by_words(
    run: RunKey | None,  # noqa: ARG001  (part of the cache key: a new run has new references)
    words: str,
    encoder: str,
    k: int,
) -> list[NearReference]:
    """Return the references that are most similar to the words. Raises SearchFailed."""
    return search_process.search_by_words(words, encoder=encoder, k=k)


def explain_clap() -> None:
    """Show how to add an encoder that can search by words."""
    with st.expander("Search by a description of the sound"):
        st.markdown(
            "No encoder in this library can search by a description of the sound, but CLAP and "
            "MuQ-MuLan can. To add CLAP:"
        )
        st.code(
            "mirpipe models pull clap\nMIRPIPE_ENCODERS=musicnn,signal,clap mirpipe run",
            language=None,
            wrap_lines=True,
        )
