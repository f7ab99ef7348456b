"""The spectrograms and pitch classes of the target and of one clip, side by side."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components import markup
from dashboard.components.mode_names import mode_with_guidance
from dashboard.components.number_format import format_duration
from dashboard.components.track_details import TrackDetails
from dashboard.components.track_spectrogram import draw_spectrogram
from dashboard.components.waveform_and_chroma import waveform_and_chroma
from mirpipe.db import queries

KEY = "clip"


def clip_name(clip: queries.GeneratedClip) -> str:
    """Return the name of a clip among all clips of its target."""
    return f"{clip.generator}, {mode_with_guidance(clip.mode, clip.guidance)}, seed {clip.seed}"


def section(
    target: queries.Target, clips: Sequence[queries.GeneratedClip], details: TrackDetails
) -> None:
    """Draw the selector of a clip, and the pictures after the viewer chose one.

    Nothing is computed before, because each spectrogram decodes a file.
    """
    clip_of = {clip_name(clip): clip for clip in clips}
    if st.session_state.get(KEY) not in clip_of:
        st.session_state.pop(KEY, None)
    name = st.selectbox(
        "Compare spectrograms: target and clip",
        list(clip_of),
        index=None,
        placeholder="Choose a clip",
        key=KEY,
        bind="query-params",
        width=420,
    )
    if name is None:
        return
    clip = clip_of[name]
    left, right = st.columns(2, gap="medium")
    start = clip.excerpt_start_seconds
    compared = f", compared from {format_duration(start)}" if start else ""
    for column, heading, title, track_id in (
        (left, "Target", target.title + compared, target.track_id),
        (right, "Clip", name, clip.track_id),
    ):
        with column:
            st.subheader(heading, anchor=False)
            files = details.files.get(track_id, [])
            markup.show(
                markup.muted_line(title),
                waveform_and_chroma(details.pictures.get(track_id), name=title),
            )
            if files:
                draw_spectrogram(files[0], name=title)
