"""One card per reference of a merged list: its ranks by encoder, its pictures and its player."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup
from dashboard.components.genre_and_instrument import genre_and_instrument
from dashboard.components.guessed_tags import guessed_tags_badge
from dashboard.components.marked_title import marked_title
from dashboard.components.merged_ranks import RankedTrack, rank_table
from dashboard.components.player import player
from dashboard.components.track_details import TrackDetails
from dashboard.components.waveform_and_chroma import waveform_and_chroma

COLUMNS = 3

Pieces = Callable[[RankedTrack], Sequence[Markup]]
"""Function that returns HTML fragments for a track."""


def _nothing(_track: RankedTrack) -> Sequence[Markup]:
    return ()


def reference_cards(
    tracks: Sequence[RankedTrack],
    encoders: Mapping[str, bool],
    details: TrackDetails,
    *,
    scores: Pieces = _nothing,
    explanation: Pieces = _nothing,
) -> None:
    """Draw the cards, `COLUMNS` in a row.

    `encoders` says for each encoder whether its weights are random. `scores` are shown below the
    ranks, and `explanation` below the player.
    """
    for first in range(0, len(tracks), COLUMNS):
        tracks_in_row = tracks[first : first + COLUMNS]
        for track, column in zip(tracks_in_row, st.columns(COLUMNS, gap="medium"), strict=False):
            files = details.files.get(track.track_id, [])
            with column, st.container(border=True, gap="xsmall"):
                markup.show(
                    Markup("<div>{} {}</div>").format(
                        marked_title(
                            track.title, track.relation, details.links.get(track.track_id)
                        ),
                        guessed_tags_badge(files),
                    ),
                    genre_and_instrument(track.labels),
                    rank_table(track, encoders),
                    *scores(track),
                    waveform_and_chroma(details.pictures.get(track.track_id), name=track.title),
                )
                player(
                    files,
                    name=f"Match: {track.title}",
                    picture=details.pictures.get(track.track_id),
                    level=details.level,
                )
                markup.show(*explanation(track))
