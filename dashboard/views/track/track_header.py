"""The top of the page: labels, player, waveform, pitch classes and spectrogram."""

import streamlit as st
from markupsafe import Markup

from dashboard.components import aesthetics_rating, markup
from dashboard.components.collection_names import collection_name
from dashboard.components.guessed_tags import guessed_tags_badge
from dashboard.components.player import player
from dashboard.components.state_badge import state_badge
from dashboard.components.track_spectrogram import draw_spectrogram
from dashboard.components.waveform_and_chroma import waveform_and_chroma
from dashboard.data import current_state
from mirpipe.db import queries

GONE = "No file with this audio was found in the last ingest. The path below is where it was last."
REMOVED = "This track had no audio, and was removed with `mirpipe vectors remove-tracks`."
NO_AUDIO = (
    "This track was added from a file of vectors. It has matches, but cannot be played, captioned "
    "or scored. To change that, ingest its recording."
)


def draw(track: queries.TrackDescription) -> None:
    """Draw the labels, and what can be heard and seen of the track."""
    files = current_state.read(queries.file_locations, [track.track_id]).get(track.track_id, [])
    picture = current_state.read(queries.pictures, [track.track_id]).get(track.track_id)
    with st.container(border=True):
        left, right = st.columns(2, gap="large")
        with left:
            markup.show(
                Markup("<div>{} {} {}</div>").format(
                    markup.badge(collection_name(track.collection)),
                    state_badge(track.state, track.reason, has_audio=track.has_audio),
                    guessed_tags_badge(files),
                ),
                markup.definition_list(sorted(track.labels.items())),
            )
            rating = current_state.read(queries.aesthetics, [track.track_id]).get(track.track_id)
            if values := aesthetics_rating.axis_values(rating):
                markup.show(markup.named_values(values))
            if track.state == "gone":
                markup.show(markup.remark(GONE if track.has_audio else REMOVED))
            elif not track.has_audio:
                markup.show(markup.remark(NO_AUDIO))
            elif files:
                player(files, name=track.title, picture=picture)
        with right:
            markup.show(waveform_and_chroma(picture, name=track.title))
            if files:
                draw_spectrogram(files[0], name=track.title)
