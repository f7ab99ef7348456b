"""Listen page: plays a target, its matches by all encoders and the clips of each mode."""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.components import (
    aesthetics_rating,
    answer,
    empty_states,
    level_matching,
    markup,
    similarity_distributions,
)
from dashboard.components.melody_chance_level import MELODY_CHANCE_LEVEL
from dashboard.components.merged_ranks import (
    RankedTrack,
    answer_sentence,
    explanation,
    merged_matches,
)
from dashboard.components.number_format import format_number
from dashboard.components.plugin_labels import random_weights_badge
from dashboard.components.target_picker import choose_target
from dashboard.components.track_details import TrackDetails, read_track_details
from dashboard.data import cached_queries, current_state
from dashboard.views.listen import clip_cards, match_cards, spectrogram_comparison
from dashboard.views.listen.target_bar import target_bar
from mirpipe.db import queries

DEPTHS = (1, 3, 5, 10)
DEFAULT_DEPTH = 3
PARTS = ("matches", "clips")
OLD_NAME_OF_MATCHES = "answers"
"""Value of the query parameter `show` in old links."""


def match_section(
    matches: Sequence[queries.Match],
    tracks: Sequence[RankedTrack],
    encoders: Mapping[str, bool],
    details: TrackDetails,
) -> None:
    """Draw the matches by all encoders in one list."""
    st.header("Which references are most similar?", anchor=False)
    if not matches:
        empty_states.no_matches()
        return
    st.caption(
        f"{explanation(DEPTHS[-1])} Melody accuracy is the share of frames with the same pitch "
        f"class (chance: about {MELODY_CHANCE_LEVEL})."
    )
    match_cards.match_cards(tracks, matches, encoders, details)


def clip_section(
    target: queries.Target,
    clips: Sequence[queries.GeneratedClip],
    active: Sequence[queries.ActiveEncoder],
    details: TrackDetails,
) -> None:
    """Draw the clips of each generator."""
    st.header("Which clips were generated for this target?", anchor=False)
    if not clips:
        empty_states.no_clips_of_target()
        return
    random_metrics = {f"cosine {row.encoder}" for row in active if row.random}
    scores = current_state.read(queries.clip_scores, target.track_id)
    clip_cards.clip_columns(target, clips, scores, random_metrics, details)
    spectrogram_comparison.section(target, clips, details)


def explain_players(active: Sequence[queries.ActiveEncoder], details: TrackDetails) -> None:
    """Explain the level matching, the pictures and the models."""
    if details.files:
        level = format_number(details.level, 1)
        st.caption(
            f"{level_matching.EXPLANATION} Every track is played at the level of the quietest one "
            f"({level} dBFS). The pictures show the waveform and, below it, how often each pitch "
            "class is the strongest, from C at the bottom to B at the top."
        )
    aesthetics_rating.show_explanation(list(details.aesthetics.values()))
    licences = [f"{row.encoder}: {row.licence_weights or 'not stated'}" for row in active]
    markup.show(
        markup.muted_line(f"Licences of the encoders' weights: {'; '.join(licences)}"),
        *(random_weights_badge(row.encoder) for row in active if row.random),
    )


def choose_parts() -> list[str]:
    """Draw the selector for the parts of the page and return the chosen parts."""
    default = list(PARTS)
    if st.query_params.get_all("show") == [OLD_NAME_OF_MATCHES]:
        default = st.session_state["show"] = ["matches"]
    return st.segmented_control(
        "Show",
        PARTS,
        default=default,
        selection_mode="multi",
        key="show",
        bind="query-params",
    )


def page(run: queries.Run, targets: Sequence[queries.Target]) -> None:
    """Draw the answer, the chosen target, its matches and its clips."""
    left, middle, right = st.columns([3, 1.2, 1.2], vertical_alignment="bottom")
    with left:
        target = choose_target(targets)
    with middle:
        parts = choose_parts()
    with right:
        chosen_depth = st.segmented_control(
            "Matches",
            DEPTHS,
            default=DEFAULT_DEPTH,
            key="k",
            bind="query-params",
            required=True,
        )
    depth = chosen_depth or DEFAULT_DEPTH
    key = cached_queries.run_key(run)
    active = cached_queries.active_encoders(key)
    matches, clips = [], []
    if "matches" in parts:
        matches = cached_queries.matches(key, target.track_id, DEPTHS[-1])
    if "clips" in parts:
        clips = current_state.read(queries.clips_of_target, target.track_id)
    tracks = merged_matches(matches, depth)
    random = {row.encoder for row in active if row.random}
    encoders = {match.encoder: match.encoder in random for match in matches}
    shown = [track.track_id for track in tracks] + [clip.track_id for clip in clips]
    details = read_track_details([target.track_id, *dict.fromkeys(shown)])
    answer.show(
        answer_sentence(target.title, tracks, encoders),
        queries.clips_answer(clips),
        links=[(track.title, details.links.get(track.track_id)) for track in tracks],
    )
    target_bar(target, clips, details)
    if matches:
        similarity_distributions.section(key, tracks, encoders, query="target")
    if "matches" in parts:
        match_section(matches, tracks, encoders, details)
    if "clips" in parts:
        clip_section(target, clips, active, details)
    explain_players(active, details)


def main() -> None:
    """Draw the page, or a message if there is nothing to show."""
    st.title("Listen", anchor=False)
    run = empty_states.latest_run()
    if run is None:
        return
    targets = cached_queries.targets(cached_queries.run_key(run))
    if not targets:
        empty_states.no_targets()
        return
    page(run, targets)


main()
