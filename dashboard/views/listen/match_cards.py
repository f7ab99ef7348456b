"""The matches of a target: one column per encoder, with one card and player per match."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import aesthetics_rating, markup
from dashboard.components.genre_and_instrument import genre_and_instrument
from dashboard.components.guessed_tags import guessed_tags_badge
from dashboard.components.marked_title import marked_title
from dashboard.components.number_format import format_number
from dashboard.components.player import player
from dashboard.components.plugin_labels import plugin_heading
from dashboard.components.waveform_and_chroma import waveform_and_chroma
from dashboard.views.listen.match_explanation import explanation, melody_remark
from dashboard.views.listen.track_details import COLUMNS_PER_ROW, TrackDetails
from mirpipe.db import queries


def match_columns(
    matches: Sequence[queries.Match],
    depth: int,
    encoders: Mapping[str, queries.EncoderRevision],
    details: TrackDetails,
) -> None:
    """Draw the first `depth` matches by each encoder.

    `matches` may contain more matches, because the explanations also name lower ranks.
    """
    by_encoder: dict[str, list[queries.Match]] = defaultdict(list)
    for match in matches:
        by_encoder[match.encoder].append(match)
    names = list(by_encoder)
    for first in range(0, len(names), COLUMNS_PER_ROW):
        names_in_row = names[first : first + COLUMNS_PER_ROW]
        columns = st.columns(len(names_in_row), gap="medium")
        for encoder, column in zip(names_in_row, columns, strict=True):
            with column:
                row = encoders.get(encoder)
                licence, random = (row.licence_weights, row.random) if row else ("", False)
                markup.show(plugin_heading(encoder, licence, random=random))
                for match in by_encoder[encoder][:depth]:
                    match_card(match, by_encoder, details)


def match_card(
    match: queries.Match,
    by_encoder: Mapping[str, Sequence[queries.Match]],
    details: TrackDetails,
) -> None:
    """Draw one match: its scores, its pictures, its player and an explanation."""
    values = [
        ("cosine", format_number(match.cosine, 3)),
        ("z", format_number(match.z, 2)),
        ("percentile", format_number(match.percentile, 1)),
        ("aligned melody", format_number(match.aligned_melody, 3)),
        ("melody accuracy", format_number(match.melody_accuracy, 3)),
        *aesthetics_rating.axis_values(details.aesthetics.get(match.reference_id)),
    ]
    picture = details.pictures.get(match.reference_id)
    files = details.files.get(match.reference_id, [])
    with st.container(border=True, gap="xsmall"):
        markup.show(
            Markup("<div><span class='mp-rank'>{}</span>{} {}</div>").format(
                match.rank,
                marked_title(
                    match.reference, match.relation, details.links.get(match.reference_id)
                ),
                guessed_tags_badge(files),
            ),
            genre_and_instrument(match.reference_labels),
            markup.named_values(values),
            # Even an empty remark takes up a line, so that equal ranks are aligned across columns.
            markup.remark(melody_remark(match)),
            waveform_and_chroma(picture, name=match.reference),
        )
        player(
            files,
            name=f"{match.encoder}, match {match.rank}: {match.reference}",
            key=f"{match.encoder} {match.rank}",
            level=details.level,
        )
        heading = f"Why is this track match {match.rank} by {match.encoder}?"
        markup.show(markup.collapsed_list(heading, explanation(match, by_encoder)))
