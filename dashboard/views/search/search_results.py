"""Search results: one card with a player for each reference."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import level_matching, markup
from dashboard.components.csv_download import download_button
from dashboard.components.genre_and_instrument import genre_and_instrument
from dashboard.components.marked_title import marked_title
from dashboard.components.number_format import format_number
from dashboard.components.player import player
from dashboard.components.track_link import track_links
from dashboard.components.waveform_and_chroma import waveform_and_chroma
from mirpipe.db import queries
from mirpipe.db.queries.vector_search import NearReference

COLUMNS = 3


def section(hits: Sequence[NearReference], encoder: str) -> None:
    """Draw the references that the search found, most similar first."""
    if not hits:
        st.info("There are no references yet. Add some, then run `mirpipe run`.")
        return
    track_ids = [hit.track_id for hit in hits]
    files, pictures = queries.file_locations(track_ids), queries.pictures(track_ids)
    links = track_links(track_ids)
    level = level_matching.common_level(files.values())
    st.header("Which references are most similar?", anchor=False)
    st.caption(f"Cosines are computed in the space of {encoder}. {level_matching.EXPLANATION}")
    for first in range(0, len(hits), COLUMNS):
        hits_in_row = hits[first : first + COLUMNS]
        for hit, column in zip(hits_in_row, st.columns(COLUMNS, gap="medium"), strict=False):
            with column, st.container(border=True, gap="xsmall"):
                markup.show(
                    Markup("<div><span class='mp-rank'>{}</span>{}</div>").format(
                        hit.rank, marked_title(hit.title, hit.relation, links.get(hit.track_id))
                    ),
                    genre_and_instrument(hit.labels),
                    markup.named_values([("cosine", format_number(hit.cosine, 4))]),
                    waveform_and_chroma(pictures.get(hit.track_id), name=hit.title),
                )
                player(
                    files.get(hit.track_id, []),
                    name=f"Match {hit.rank}: {hit.title}",
                    key=f"hit {hit.rank}",
                    level=level,
                )
    download_button(pd.DataFrame([asdict(hit) for hit in hits]), name="Search results")
