"""Search results: the answer, and one card with a player for each reference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard.components import answer, level_matching, markup, similarity_distributions
from dashboard.components.csv_download import download_button
from dashboard.components.merged_ranks import answer_sentence, explanation, merged_references
from dashboard.components.plugin_labels import random_weights_badge
from dashboard.components.reference_cards import reference_cards
from dashboard.components.track_details import read_track_details
from dashboard.data.cached_queries import RunKey
from mirpipe.db import queries
from mirpipe.db.queries.vector_search import NearReference


@dataclass(frozen=True)
class Query:
    """What is searched for."""

    name: str
    files: Sequence[queries.FileLocation]
    """Its audio files. Empty if it has none that can be played, such as words."""
    draw: Callable[[float | None], None]
    """Draws the query, with a player at this level in dBFS, or at its own level."""


def section(
    query: Query,
    found: Mapping[str, Sequence[NearReference]],
    encoders: Mapping[str, bool],
    *,
    k: int,
    run: RunKey | None,
) -> float | None:
    """Draw the first `k` references that a search found for each encoder, as one list.

    Return the level, in dBFS, at which they and the query are played, or None if nothing was found.
    `encoders` says for each of these encoders whether its weights are random. With a run, the
    distributions of its cosines and z are drawn, too.
    """
    tracks = merged_references(found)
    if not tracks:
        st.info("There are no references yet. Add some, then run `mirpipe run`.")
        return None
    details = read_track_details([track.track_id for track in tracks], compared_with=query.files)
    answer.show(
        answer_sentence(query.name, tracks, encoders),
        links=[(track.title, details.links.get(track.track_id)) for track in tracks],
    )
    markup.show(*(random_weights_badge(name) for name, random in encoders.items() if random))
    if run is not None:
        similarity_distributions.section(run, tracks, encoders, query="query")
    st.header("Which references are most similar?", anchor=False)
    st.caption(f"{explanation(k)} {level_matching.EXPLANATION}")
    reference_cards(tracks, encoders, details)
    rows = [
        {"encoder": encoder, "track_id": track.track_id, "title": track.title, **vars(rank)}
        for track in tracks
        for encoder, rank in track.ranks.items()
    ]
    download_button(pd.DataFrame(rows), name="Search results")
    return details.level
