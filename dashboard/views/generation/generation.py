"""Generation: how good the clips of each mode are, from which words, and target by target."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import (
    empty_states,
    group_summaries,
    heatmap,
    markup,
    metric_labels,
    tables,
)
from dashboard.components.heatmap import Cell
from dashboard.components.target_picker import labelled
from dashboard.data import cached_queries
from dashboard.views.generation import mode_summary
from mirpipe.db import queries

DRAWN = (
    ("clap_similarity", "CLAP similarity of target and clip"),
    ("melody_accuracy", "Melody accuracy of target and clip, by chance about 0.085"),
)
CAPTIONS_A_PAGE = 20


def row_name(score: queries.TargetScore, *, many: bool) -> str:
    """A mode at its guidance; with the generator where there are several."""
    mode = mode_summary.named(score.mode, score.guidance)
    return f"{score.generator} {mode}" if many else mode


def maps(scores: Sequence[queries.TargetScore], targets: Sequence[queries.Target]) -> None:
    """Mode by target: CLAP similarity, melody accuracy and an axis of the aesthetics."""
    st.subheader("Target by target", anchor=False)
    st.caption(f"The mean over the seeds of each mode's clips for each target. {heatmap.LEGEND}")
    names = labelled(targets)
    made = {score.target_id for score in scores}
    columns = heatmap.window([names[i] for i in names if i in made], key="page")
    many = len({score.generator for score in scores}) > 1
    rows = list(dict.fromkeys(row_name(score, many=many) for score in scores))
    axes = [one for one in metric_labels.AXES if any(score.metric == one for score in scores)]
    drawn = list(DRAWN)
    if axes:
        axis = st.segmented_control(
            "Aesthetics",
            axes,
            default=axes[-1],
            format_func=metric_labels.named,
            key="axis",
            bind="query-params",
            required=True,
        )
        drawn.append((axis or axes[-1], f"Aesthetics: {metric_labels.named(axis or axes[-1])}"))
    # a chance that could not be taken off tells where a side is unpitched
    unpitched = {
        (one.target_id, row_name(one, many=many))
        for one in scores
        if one.metric == "melody_accuracy_corrected" and one.value is None
    }
    for name, title in drawn:
        of_target = {
            (one.target_id, row_name(one, many=many)): one for one in scores if one.metric == name
        }
        cells = [
            Cell(row, names[target_id], one.value, f"clips: {one.clips}")
            for (target_id, row), one in of_target.items()
            if target_id in names
            and not (name == "melody_accuracy" and (target_id, row) in unpitched)
        ]
        decimals = metric_labels.decimals(name)
        heatmap.show(cells, rows=rows, columns=columns, title=title, decimals=decimals)


def captions(told: Sequence[queries.Caption]) -> None:
    """The words that clips are made from, beside what was measured; contradictions are marked."""
    first = told[0]
    st.subheader("What was said of the targets", anchor=False)
    markup.show(
        markup.weights(f"Captions by {first.captioner}", first.licence_weights, random=first.random)
    )
    wrong = [one for one in told if one.contradictions]
    st.caption(
        f"Words beside measurement: {len(wrong):,} of {len(told):,} captions contradict what was "
        "measured."
    )
    only = st.toggle("Contradictions alone", key="contradictions", bind="query-params")
    chosen = wrong if only else told
    pages = max(1, -(-len(chosen) // CAPTIONS_A_PAGE))
    page = 1
    if pages > 1:
        page = st.number_input(
            f"Captions, {CAPTIONS_A_PAGE} at a time of {len(chosen):,} (page 1 to {pages:,})",
            min_value=1,
            max_value=pages,
            step=1,
            key="captions",
            bind="query-params",
            width=320,
        )
    shown = chosen[(page - 1) * CAPTIONS_A_PAGE : page * CAPTIONS_A_PAGE]
    heads = ["target", "caption", "tempo", "meter", "key", "pitched"]
    lines = [[markup.roomy(markup.title(one.title)), words(one), *measured(one)] for one in shown]
    markup.show(markup.table("Captions", heads, lines))
    tables.download(list(told), name="Captions")


def words(told: queries.Caption) -> Markup:
    """A caption, and where it contradicts the measurement."""
    said = Markup("<div class='mp-quote'><bdi>{}</bdi></div>").format(told.caption)
    if told.contradictions:
        said += markup.alert("The caption contradicts the measurement", told.contradictions)
    return said


def measured(told: queries.Caption) -> list[Markup]:
    """Tempo, meter, key and share of pitched frames, or why one could not be measured."""
    values = {
        "tempo_bpm": told.tempo_bpm and f"{told.tempo_bpm:.1f} BPM",
        "meter": told.meter and f"{told.meter} beats a bar",
        "key": told.key,
        "voiced_fraction": f"{told.voiced_fraction:.0%} of frames",
    }
    return [
        Markup("{}").format(value or markup.DASH)
        + (markup.small(metric_labels.said(told.reasons[field])) if field in told.reasons else "")
        for field, value in values.items()
    ]


def per_target(scores: Sequence[queries.TargetScore]) -> None:
    """Every number of every target and mode."""
    st.subheader("Every target and mode", anchor=False)
    lines: dict[tuple[object, ...], dict[str, object]] = {}
    for one in scores:
        line = (one.target_id, one.generator, one.mode, one.guidance)
        names = asdict(one)
        keys = {name: names[name] for name in ("target", "generator", "mode", "guidance", "clips")}
        lines.setdefault(line, keys)[one.metric] = one.value
    wide = pd.DataFrame(list(lines.values())).dropna(axis="columns", how="all")
    number = st.column_config.NumberColumn
    numbers = wide.columns[list(wide.columns).index("clips") + 1 :]
    tables.frame(
        wide,
        name="Clips by target",
        columns={
            name: number(metric_labels.of_one(name), format=f"%.{metric_labels.decimals(name)}f")
            for name in numbers
        },
    )


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Generation", anchor=False)
    run = queries.latest_run()
    counts = cached_queries.library()
    if run is None:
        if counts:
            empty_states.results()
        else:
            empty_states.library()
        return
    key = cached_queries.key(run)
    targets = cached_queries.targets(key)
    if not targets:
        empty_states.targets()
        return
    rows, scores = cached_queries.generation_summary(key), cached_queries.target_scores(key)
    if rows:
        mode_summary.results(run, rows)
        if scores:
            maps(scores, targets)
            group_summaries.section(key, "generation")
    elif any(row.collection == "generated" for row in counts):
        empty_states.clip_scores()
    else:
        empty_states.clips()
    told = queries.captions()
    if told:
        captions(told)
    if scores and rows:
        per_target(scores)


main()
