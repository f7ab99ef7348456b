"""Search page: one field for a title, a description or a file, and the most similar references."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from dashboard.components import empty_states
from dashboard.data import cached_queries, current_state
from dashboard.data.query_file import QueryFile
from dashboard.views.search import search_by_audio, search_by_track, search_by_words
from dashboard.views.search.search_results import section
from mirpipe import search_process
from mirpipe.db import queries
from mirpipe.db.queries.vector_search import NearReference, searchable_revisions

DEPTHS = (5, 10, 25)


def choose_encoders(names: Sequence[str]) -> tuple[list[str], int]:
    """Draw the selectors, and return the chosen encoders and the number of matches by each."""
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        chosen = st.segmented_control(
            "Encoders",
            names,
            default=list(names),
            selection_mode="multi",
            key="encoder",
            bind="query-params",
        )
    with right:
        k = st.segmented_control(
            "Matches", DEPTHS, default=DEPTHS[0], key="k", bind="query-params", required=True
        )
    return list(chosen or names), k or DEPTHS[0]


def search_with_models(
    search: Callable[[str], list[NearReference]], encoders: Sequence[str]
) -> dict[str, list[NearReference]]:
    """Return the references that each encoder finds. Draw the errors of those that fail."""
    found = {}
    for encoder in encoders:
        with st.spinner(f"Searching with {encoder}. Loading the model can take up to a minute …"):
            try:
                found[encoder] = search(encoder)
            except search_process.SearchFailed as error:
                st.error(f"The search with {encoder} failed.", icon=":material/search_off:")
                st.text(str(error))
    return found


def search_stored(
    track: queries.ListedTrack, encoders: Sequence[str], k: int
) -> dict[str, list[NearReference]]:
    """Return the references near a track of the library, by each encoder that has embedded it."""
    rows = cached_queries.similar_references(track.track_id, track.content_sha256, k)
    stored = {row.encoder: row.references for row in rows if row.references is not None}
    if missing := [name for name in encoders if name not in stored]:
        st.caption(f"Not embedded yet by {', '.join(missing)}. The next run does this.")
    return {name: stored[name] for name in encoders if name in stored}


def search_field(*, is_text_searchable: bool) -> tuple[str, QueryFile | None]:
    """Draw the search field and the upload field, and return the words and the file."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        words = st.text_input(
            "Title, artist, other tags or path"
            + (", or a description of the sound" if is_text_searchable else ""),
            key="q",
            type="search",
            bind="query-params",
            max_chars=search_process.MAX_CHARACTERS,
        )
    with right:
        return (words or "").strip(), search_by_audio.choose_file()


def page(run: cached_queries.RunKey | None, names: Mapping[str, bool]) -> None:
    """Draw the search field, and what it finds.

    `names` says for each encoder whether its weights are random.
    """
    able = [name for name in names if search_process.takes_text(name)]
    words, file = search_field(is_text_searchable=bool(able))
    chosen, k = choose_encoders(list(names))
    scale, place = run, st.empty()
    if file is not None:
        query = search_by_audio.query(file)
        with place.container():
            query.draw(None)  # The search can take a minute.
        found = search_with_models(
            lambda encoder: search_by_audio.search_by_audio(run, file, encoder, k), chosen
        )
    elif words and able and search_by_words.is_asked(words):
        query = search_by_words.query(words)
        found = search_with_models(
            lambda encoder: search_by_words.search_by_words(run, words, encoder, k),
            [name for name in able if name in chosen] or able,
        )
        scale = None  # The cosines of words to audio are not comparable with those of audio.
    elif words:
        track = search_by_track.choose_found_track(words)
        if track is None:
            return
        query = search_by_track.query(track)
        found = search_stored(track, chosen, k)
    else:
        st.caption(
            "Type a part of a title, an artist or any other tag. You can then choose one of the "
            "tracks that contain all words, and see the references that are most similar to it. A "
            "file is "
            "compared with all references; a link to this page does not restore it."
        )
        return
    level = None
    if found:
        level = section(query, found, {name: names[name] for name in found}, k=k, run=scale)
    with place.container():
        query.draw(level)


def main() -> None:
    """Draw the page, or a message if there is nothing to search."""
    st.title("Search", anchor=False)
    available = current_state.read(searchable_revisions)
    if not cached_queries.library_counts():
        empty_states.no_library()
        return
    if not available:
        empty_states.no_run()
        return
    names: dict[str, bool] = {}
    for revision in available:  # If there are two revisions of an encoder, the active one is first.
        names.setdefault(revision.encoder, revision.random)
    run = cached_queries.latest_run()
    page(cached_queries.run_key(run) if run else None, names)
    if not any(map(search_process.takes_text, names)):
        search_by_words.explain_clap()


main()
