"""The matches of a target by all encoders in one list: one card and player per reference."""

from collections.abc import Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import aesthetics_rating, markup
from dashboard.components.genre_and_instrument import genre_and_instrument
from dashboard.components.guessed_tags import guessed_tags_badge
from dashboard.components.marked_title import marked_title
from dashboard.components.merged_ranks import EncoderRank, RankedTrack, merged, rank_table
from dashboard.components.number_format import format_number
from dashboard.components.player import player
from dashboard.components.waveform_and_chroma import waveform_and_chroma
from dashboard.views.listen.match_explanation import explanation, melody_remark
from dashboard.views.listen.track_details import TrackDetails
from mirpipe.db import queries

COLUMNS = 3


def merged_matches(matches: Sequence[queries.Match], depth: int) -> list[RankedTrack]:
    """Return each reference among the first `depth` matches by any encoder once.

    `matches` may contain more matches, because the ranks by other encoders can be lower.
    """
    tracks = merged(
        RankedTrack(
            match.reference_id,
            match.reference,
            match.relation,
            {match.encoder: EncoderRank(match.rank, match.cosine, match.z, match.percentile)},
            match.reference_labels,
        )
        for match in matches
    )
    return [track for track in tracks if track.best_rank <= depth]


def match_cards(
    tracks: Sequence[RankedTrack],
    matches: Sequence[queries.Match],
    encoders: Mapping[str, bool],
    details: TrackDetails,
) -> None:
    """Draw one card per track. `encoders` says for each encoder whether its weights are random."""
    # The scores of a pair do not depend on the encoder that found it.
    match_of = {match.reference_id: match for match in matches}
    for first in range(0, len(tracks), COLUMNS):
        tracks_in_row = tracks[first : first + COLUMNS]
        for track, column in zip(tracks_in_row, st.columns(COLUMNS, gap="medium"), strict=False):
            with column:
                match_card(track, match_of[track.track_id], encoders, details)


def match_card(
    track: RankedTrack,
    match: queries.Match,
    encoders: Mapping[str, bool],
    details: TrackDetails,
) -> None:
    """Draw one match: its ranks, its scores, its pictures, its player and an explanation."""
    values = [
        ("aligned melody", match.aligned_melody),
        ("melody accuracy", match.melody_accuracy),
    ]
    shown = [(name, format_number(value, 3)) for name, value in values if value is not None]
    shown += aesthetics_rating.axis_values(details.aesthetics.get(track.track_id))
    files = details.files.get(track.track_id, [])
    with st.container(border=True, gap="xsmall"):
        markup.show(
            Markup("<div>{} {}</div>").format(
                marked_title(track.title, track.relation, details.links.get(track.track_id)),
                guessed_tags_badge(files),
            ),
            genre_and_instrument(track.labels),
            rank_table(track, encoders),
            *([markup.named_values(shown)] if shown else []),
            # Even an empty remark takes up a line, so that the pictures of a row are aligned.
            markup.remark(melody_remark(match)),
            waveform_and_chroma(details.pictures.get(track.track_id), name=track.title),
        )
        player(
            files,
            name=f"Match: {track.title}",
            key=f"match {track.track_id}",
            level=details.level,
        )
        markup.show(markup.collapsed_list("Why is it a match?", explanation(match, track.ranks)))
