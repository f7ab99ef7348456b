"""The top of the page: title, labels, player, waveform, pitch classes and spectrogram."""

import streamlit as st
from markupsafe import Markup

from dashboard.components import aesthetics_rating, markup
from dashboard.components.guessed_tags import guessed_tags_badge
from dashboard.components.player import CONFIRM_ABOVE_BYTES, player
from dashboard.components.spectrogram_picture import spectrogram_picture
from dashboard.components.state_badge import state_badge
from dashboard.components.waveform_and_chroma import waveform_and_chroma
from dashboard.data.spectrograms import spectrogram
from mirpipe.db import queries
from mirpipe.errors import MirpipeError
from mirpipe.files.addresses import S3Address

GONE = "No file with this audio was found in the last ingest. The path below is where it was last."


def draw(track: queries.TrackDescription) -> None:
    """Draw the title and what can be heard and seen of the track."""
    files = queries.file_locations([track.track_id]).get(track.track_id, [])
    with st.container(border=True):
        left, right = st.columns(2, gap="large")
        with left:
            markup.show(
                markup.large_title(track.title),
                Markup("<div>{} {} {}</div>").format(
                    markup.badge(track.collection),
                    state_badge(track.state, track.reason),
                    guessed_tags_badge(files),
                ),
                markup.definition_list(sorted(track.labels.items())),
            )
            rating = queries.aesthetics([track.track_id]).get(track.track_id)
            if values := aesthetics_rating.axis_values(rating):
                markup.show(markup.named_values(values))
            if track.state == "gone":
                markup.show(markup.remark(GONE))
            elif files:
                player(files, name=track.title, key="track player")
        with right:
            picture = queries.pictures([track.track_id]).get(track.track_id)
            markup.show(waveform_and_chroma(picture, name=track.title))
            if files:
                _draw_spectrogram(files[0], track.title)


def _draw_spectrogram(file: queries.FileLocation, title: str) -> None:
    if isinstance(file.path, S3Address) and file.size > CONFIRM_ABOVE_BYTES:
        limit = f"{CONFIRM_ABOVE_BYTES // 2**20} MB"
        markup.show(
            markup.remark(f"No spectrogram: objects over {limit} are not downloaded for a picture.")
        )
        return
    try:
        picture = spectrogram_picture(spectrogram(file.path, file.etag), name=title)
    except (FileNotFoundError, MirpipeError) as error:
        markup.show(markup.remark(f"No spectrogram: {error}"))
        return
    markup.show(picture)
