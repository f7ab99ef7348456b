"""Search page: finds the references that are most similar to a description or an audio file."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components import empty_states, markup
from dashboard.components.plugin_labels import random_weights_badge
from dashboard.data import cached_queries
from dashboard.views.search import search_results
from dashboard.views.search.search_by_audio import hits_for_audio
from dashboard.views.search.search_by_words import hits_for_words
from mirpipe import search_process
from mirpipe.db import queries
from mirpipe.db.queries.vector_search import SearchableRevision, searchable_revisions

QUERY_KINDS = ("words", "audio")
DEPTHS = (5, 10, 25)


def choose_encoder(
    available: Sequence[SearchableRevision], query_kind: str
) -> tuple[str, int] | None:
    """Draw the selectors and return the chosen encoder and number of matches.

    Return None if no encoder supports the kind of query.
    """
    names = list(dict.fromkeys(revision.encoder for revision in available))
    able = [name for name in names if query_kind == "audio" or search_process.takes_text(name)]
    if not able:
        st.info(
            "No encoder in this library can search by words, but CLAP can. To add CLAP:",
            icon=":material/text_fields:",
        )
        st.code(
            "mirpipe models pull clap\nMIRPIPE_ENCODERS=musicnn,signal,clap mirpipe run",
            language=None,
            wrap_lines=True,
        )
        return None
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    if st.session_state.get("encoder") not in able:
        st.session_state.pop("encoder", None)
    with left:
        encoder = st.segmented_control(
            "Encoder",
            able,
            default=able[0],
            key="encoder",
            bind="query-params",
            required=True,
        )
    with right:
        k = st.segmented_control(
            "Matches", DEPTHS, default=DEPTHS[0], key="k", bind="query-params", required=True
        )
    return encoder or able[0], k or DEPTHS[0]


def main() -> None:
    """Draw the page, or a message if there is nothing to search."""
    st.title("Search", anchor=False)
    available = searchable_revisions()
    if not cached_queries.library_counts():
        empty_states.no_library()
        return
    if not available:
        empty_states.no_run()
        return
    query_kind = st.segmented_control(
        "Search by",
        QUERY_KINDS,
        default=QUERY_KINDS[0],
        key="by",
        bind="query-params",
        required=True,
    )
    chosen = choose_encoder(available, query_kind or QUERY_KINDS[0])
    if chosen is None:
        return
    encoder, k = chosen
    run = queries.latest_run()
    key = cached_queries.run_key(run) if run else None
    encoders = cached_queries.encoder_revisions(key) if key else []
    if encoder in {row.encoder for row in encoders if row.random}:
        markup.show(random_weights_badge(encoder))
    try:
        hits = (hits_for_audio if query_kind == "audio" else hits_for_words)(key, encoder, k)
    except search_process.SearchFailed as error:
        st.error("The search failed.", icon=":material/search_off:")
        st.text(str(error))
        return
    if hits is not None:
        search_results.section(hits, encoder)


main()
