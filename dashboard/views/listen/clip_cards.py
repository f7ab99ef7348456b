"""The clips of a target: one column per mode, with one card and player per seed."""

from collections import defaultdict
from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import aesthetics_rating, markup, metric_labels
from dashboard.components.mode_names import mode_with_guidance
from dashboard.components.number_format import DASH, format_duration, format_number
from dashboard.components.player import player
from dashboard.components.plugin_labels import RANDOM_WEIGHTS, plugin_heading
from dashboard.components.track_details import TrackDetails
from dashboard.components.track_link import linked_title
from dashboard.components.waveform_and_chroma import waveform_and_chroma
from mirpipe.db import queries
from mirpipe.db.queries.metric_names import NOT_SCORES

COLUMNS_PER_ROW = 4
"""Largest number of modes in a row."""
UNPITCHED = ("melody_accuracy_corrected", "unpitched")
"""Metric and reason of the score that says that the target or the clip is unpitched."""
MELODY_SCORES = "melody scores"
"""Name of all scores that have no value because the target or the clip is unpitched."""


def clip_columns(
    target: queries.Target,
    clips: Sequence[queries.GeneratedClip],
    scores: Sequence[queries.ClipScore],
    random_metrics: set[str],
    details: TrackDetails,
) -> None:
    """Draw the clips of each generator, with one column per mode and guidance.

    `random_metrics` are the metrics that are computed with random weights.
    """
    scores_of: dict[int, list[queries.ClipScore]] = defaultdict(list)
    for score in scores:
        scores_of[score.track_id].append(score)
    for generator in dict.fromkeys(clip.generator for clip in clips):
        by_mode: dict[tuple[str, float | None], list[queries.GeneratedClip]] = defaultdict(list)
        for clip in clips:
            if clip.generator == generator:
                by_mode[clip.mode, clip.guidance].append(clip)
        first_clip = next(iter(by_mode.values()))[0]
        markup.show(
            plugin_heading(
                f"Clips by {generator}", first_clip.licence_weights, random=first_clip.random
            )
        )
        modes = list(by_mode)
        for first in range(0, len(modes), COLUMNS_PER_ROW):
            modes_in_row = modes[first : first + COLUMNS_PER_ROW]
            columns = st.columns(len(modes_in_row), gap="medium")
            for mode, column in zip(modes_in_row, columns, strict=True):
                with column:
                    markup.show(mode_heading(*mode))
                    for clip in by_mode[mode]:
                        rating = details.aesthetics.get(clip.track_id)
                        values = clip_values(scores_of[clip.track_id], rating, random_metrics)
                        clip_card(target, clip, values, details)


def mode_heading(mode: str, guidance: float | None) -> Markup:
    """Return a column heading with the mode, and its guidance if the generator has one."""
    shown = "" if guidance is None else f"guidance {guidance:g}"
    return Markup("<div>{} <span class='mp-muted'>{}</span></div>").format(
        markup.title(mode), shown
    )


def clip_card(
    target: queries.Target,
    clip: queries.GeneratedClip,
    values: Markup,
    details: TrackDetails,
) -> None:
    """Draw one clip: seed, prompt, scores, pictures and player."""
    picture = details.pictures.get(clip.track_id)
    with st.container(border=True, gap="xsmall"):
        markup.show(
            Markup("<div>{} <span class='mp-muted'>· {}{}</span></div>").format(
                linked_title(f"seed {clip.seed}", details.links.get(clip.track_id)),
                format_duration(clip.seconds),
                excerpt_text(clip),
            ),
            markup.muted_line(clip.prompt),
            values,
            waveform_and_chroma(picture, name=f"the clip of seed {clip.seed}"),
        )
        mode = mode_with_guidance(clip.mode, clip.guidance)
        name = f"{clip.generator} {mode} seed {clip.seed}"
        player(
            details.files.get(clip.track_id, []),
            name=f"{name}, generated from {target.title}",
            picture=picture,
            offset_seconds=clip.excerpt_start_seconds or 0.0,
            level=details.level,
        )


def excerpt_text(clip: queries.GeneratedClip) -> str:
    """Return where the clip's excerpt starts in the target. Empty if it starts with the target."""
    if not clip.excerpt_start_seconds:
        return ""
    return f", compared with the target from {format_duration(clip.excerpt_start_seconds)}"


def clip_values(
    scores: Sequence[queries.ClipScore],
    rating: queries.Aesthetics | None,
    random_metrics: set[str],
) -> Markup:
    """Return the scores and the rating of a clip.

    If a score is missing or has no meaning, the reason is shown. If the reason is that the target
    or the clip is unpitched, one entry stands for all scores of the melody. Scores that use random
    weights are marked.
    """
    values: list[tuple[str, str]] = []
    is_unpitched = any((score.metric, score.reason) == UNPITCHED for score in scores)
    for score in scores:
        if score.metric in metric_labels.AXES or score.metric in NOT_SCORES:
            continue
        value, reason = score.value, score.reason
        if is_unpitched and score.metric == "melody_accuracy":
            value, reason = None, UNPITCHED[1]
        if value is None and reason == UNPITCHED[1]:
            unpitched = Markup(DASH) + markup.small_line(metric_labels.reason_text(reason))
            if (MELODY_SCORES, unpitched) not in values:
                values.append((MELODY_SCORES, unpitched))
            continue
        text = Markup("{}").format(format_number(value, metric_labels.decimals(score.metric)))
        if value is None:
            text += markup.small_line(metric_labels.reason_text(reason or "not measured"))
        if score.metric in random_metrics:
            text += markup.small_line(RANDOM_WEIGHTS)
        values.append((metric_labels.single_value_label(score.metric), text))
    return markup.named_values([*values, *aesthetics_rating.axis_values(rating)], wrap=True)
