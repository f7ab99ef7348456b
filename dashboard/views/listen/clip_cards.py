"""What generators made of a target, a mode beside the other: to hear, to see, and its numbers."""

from collections import defaultdict
from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import aesthetics_rating, markup, metric_labels
from dashboard.components.player import player
from dashboard.components.waveform_and_chroma import pictures
from dashboard.views.listen.match_cards import SIDE_BY_SIDE, Known
from mirpipe.db import queries
from mirpipe.db.queries.metric_names import BOUNDS


def side_by_side(
    target: queries.Target,
    made: Sequence[queries.Generation],
    scores: Sequence[queries.GenerationScore],
    random: set[str],
    known: Known,
) -> None:
    """A row of columns a generator, a column a mode and guidance, its seeds one below the other.

    `random` are the metrics that random weights measure.
    """
    of_clip: dict[int, list[queries.GenerationScore]] = defaultdict(list)
    for score in scores:
        of_clip[score.track_id].append(score)
    for generator in dict.fromkeys(clip.generator for clip in made):
        columns: dict[tuple[str, float | None], list[queries.Generation]] = defaultdict(list)
        for clip in made:
            if clip.generator == generator:
                columns[clip.mode, clip.guidance].append(clip)
        first_clip = next(iter(columns.values()))[0]
        markup.show(
            markup.weights(
                f"Made by {generator}", first_clip.licence_weights, random=first_clip.random
            )
        )
        heads = list(columns)
        for first in range(0, len(heads), SIDE_BY_SIDE):
            shown = heads[first : first + SIDE_BY_SIDE]
            for head, column in zip(shown, st.columns(len(shown), gap="medium"), strict=True):
                with column:
                    markup.show(mode_head(*head))
                    for at, clip in enumerate(columns[head]):
                        readings = numbers(
                            of_clip[clip.track_id], known.aesthetics.get(clip.track_id), random
                        )
                        card(target, clip, readings, known, at)


def mode_head(mode: str, guidance: float | None) -> Markup:
    """A mode and its guidance."""
    return Markup("<div>{} <span class='mp-muted'>guidance {}</span></div>").format(
        markup.title(mode), metric_labels.guided(guidance)
    )


def card(
    target: queries.Target,
    clip: queries.Generation,
    readings: Markup,
    known: Known,
    at: int,
) -> None:
    """One clip: what it was made from, its numbers, its pictures and its player."""
    with st.container(border=True, gap="xsmall"):
        markup.show(
            Markup("<div>seed {} <span class='mp-muted'>· {}</span></div>").format(
                clip.seed, markup.length(clip.seconds)
            ),
            markup.line(clip.prompt),
            readings,
            pictures(known.pictures.get(clip.track_id), name=f"the clip of seed {clip.seed}"),
        )
        way = f"{clip.generator} {clip.mode} {metric_labels.guided(clip.guidance)} seed {clip.seed}"
        player(
            known.files.get(clip.track_id, []),
            name=f"{way}, made of {target.title}",
            key=f"{way} {at}",
            level=known.level,
        )


def numbers(
    of_clip: Sequence[queries.GenerationScore],
    aesthetics: queries.Aesthetics | None,
    random: set[str],
) -> Markup:
    """A clip's numbers; below one that is missing, why, and below one by random weights, that."""
    readings: list[tuple[str, str]] = []
    for score in of_clip:
        if score.metric in metric_labels.AXES or score.metric in BOUNDS:
            continue
        shown = Markup("{}").format(
            markup.number(score.value, metric_labels.decimals(score.metric))
        )
        if score.value is None:
            shown += markup.small(metric_labels.said(score.reason or "not measured"))
        if score.metric in random:
            shown += markup.small(markup.RANDOM)
        readings.append((metric_labels.of_one(score.metric), shown))
    return markup.readings([*readings, *aesthetics_rating.readings(aesthetics)], wrap=True)
