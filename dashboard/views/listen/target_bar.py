"""The bar with the target, its pictures and its player. It is visible even after scrolling."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components import aesthetics_rating, markup
from dashboard.components.genre_and_instrument import genre_and_instrument
from dashboard.components.guessed_tags import guessed_tags_badge
from dashboard.components.player import player
from dashboard.components.track_details import TrackDetails
from dashboard.components.track_link import linked_title
from dashboard.components.waveform_and_chroma import waveform_and_chroma
from mirpipe.db import queries


def target_bar(
    target: queries.Target, clips: Sequence[queries.GeneratedClip], details: TrackDetails
) -> None:
    """Draw the target bar. The excerpts that the clips are compared with are marked."""
    excerpts = sorted(
        {
            (clip.excerpt_start_seconds, clip.excerpt_start_seconds + clip.seconds)
            for clip in clips
            if clip.excerpt_start_seconds is not None
        }
    )
    axis_values = aesthetics_rating.axis_values(details.aesthetics.get(target.track_id))
    files = details.files.get(target.track_id, [])
    with st.container(key="target-bar"):
        left, middle, right = st.columns([5, 4, 4], vertical_alignment="center")
        with left:
            description = linked_title(target.title, details.links.get(target.track_id))
            description += guessed_tags_badge(files)
            description += genre_and_instrument(target.labels)
            if target.voiced is False:
                description += markup.remark(
                    "This target is unpitched, so its melody scores have no meaning."
                )
            markup.show(description, *([markup.named_values(axis_values)] if axis_values else []))
        with middle:
            picture = details.pictures.get(target.track_id)
            markup.show(waveform_and_chroma(picture, name=target.title))
        with right:
            player(
                files,
                name=f"Target: {target.title}",
                picture=picture,
                role="target",
                excerpts=excerpts,
                level=details.level,
            )
