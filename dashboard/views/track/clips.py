"""The clips that were generated from a target, or the targets that a clip was generated from."""

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.mode_names import mode_with_guidance
from dashboard.components.number_format import format_duration, format_local_time
from dashboard.components.track_link import linked_title, track_links
from dashboard.data import current_state
from mirpipe.db import queries


def draw(track: queries.TrackDescription) -> None:
    """Draw the clips of a target or the origin of a clip. For a reference, draw nothing."""
    if track.collection == "target":
        _draw_clips(track)
    elif track.collection == "generated":
        _draw_origins(track)


def _draw_clips(track: queries.TrackDescription) -> None:
    rows = current_state.read(queries.clips_of_target, track.track_id)
    st.header("Which clips were generated from it?", anchor=False)
    if not rows:
        can_be_made = "`mirpipe generate` generates clips." if track.has_audio else ""
        st.caption(f"None yet. {can_be_made}")
        return
    links = track_links(row.track_id for row in rows)
    lines = [
        [
            linked_title(
                f"{mode_with_guidance(row.mode, row.guidance)}, seed {row.seed}",
                links.get(row.track_id),
            ),
            row.generator,
            format_duration(row.seconds),
            _prompt(row.prompt),
        ]
        for row in rows
    ]
    columns = ["clip", "generator", "length", "prompt"]
    markup.show(tables.html_table("Clips", columns, lines))


def _draw_origins(track: queries.TrackDescription) -> None:
    rows = current_state.read(queries.clip_origins, track.track_id)
    if not rows:
        return
    st.header("What was it generated from?", anchor=False)
    links = track_links(row.target_id for row in rows)
    lines = [
        [
            markup.wide(linked_title(row.target, links.get(row.target_id))),
            row.generator,
            mode_with_guidance(row.mode, row.guidance),
            str(row.seed),
            markup.no_wrap(format_local_time(row.made_at)),
            _prompt(row.prompt),
        ]
        for row in rows
    ]
    mode = "mode" if all(row.guidance is None for row in rows) else "mode (guidance)"
    columns = ["target", "generator", mode, "seed", "generated", "prompt"]
    markup.show(tables.html_table("Origin of the clip", columns, lines))


def _prompt(text: str) -> Markup:
    return Markup("<div class='mp-quote'><bdi>{}</bdi></div>").format(text)
