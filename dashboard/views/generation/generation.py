"""Generation page: how similar the clips of each mode are to their targets, and the captions."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st

from dashboard.components import (
    answer,
    empty_states,
    group_summaries,
    heatmap,
    metric_labels,
    tables,
)
from dashboard.components.heatmap import Cell
from dashboard.components.melody_chance_level import MELODY_CHANCE_LEVEL
from dashboard.components.mode_names import mode_with_guidance
from dashboard.components.target_page import choose_targets
from dashboard.data import cached_queries, target_orders
from dashboard.views.generation import captions, mode_summary, slope_charts
from dashboard.views.generation.meaningful_scores import meaningful_scores
from mirpipe.db import queries
from mirpipe.db.queries.library_counts import has_targets
from mirpipe.db.queries.target_order import ORDERS
from mirpipe.settings import settings

TITLES = {
    "clap_similarity": "CLAP similarity of target and clip",
    "aligned_melody": "Aligned melody of target and clip (unrelated: up to 0.3)",
    "melody_accuracy": f"Melody accuracy of target and clip (chance: about {MELODY_CHANCE_LEVEL})",
    **{axis: f"Aesthetics: {metric_labels.metric_label(axis)}" for axis in metric_labels.AXES},
}
"""Title of the heatmap, by metric."""


def row_name(score: queries.TargetScore, *, several_generators: bool) -> str:
    """Return the mode with its guidance, preceded by the generator if there are several."""
    mode = mode_with_guidance(score.mode, score.guidance)
    return f"{score.generator} {mode}" if several_generators else mode


def heatmap_section(
    scores: Sequence[queries.TargetScore], summaries: Sequence[queries.GenerationSummary]
) -> None:
    """Draw a heatmap of one metric by mode and target."""
    st.caption(
        "Each cell shows the mean over all seeds, for one mode and target. The colours mean the "
        "same on all pages of targets. Click a cell to open the page of the target, with its "
        f"clips. {heatmap.LEGEND}"
    )
    columns = list(dict.fromkeys(score.target for score in scores))
    several = len({score.generator for score in scores}) > 1
    rows = dict.fromkeys(row_name(score, several_generators=several) for score in scores)
    meaningful = meaningful_scores(scores)
    measured = {score.metric for score in meaningful if score.value is not None}
    metric = heatmap.choose_metric([name for name in TITLES if name in measured])
    if metric is None:
        return
    cells = [
        Cell(
            row_name(score, several_generators=several),
            score.target,
            score.value,
            f"{score.clips:,}",
            score.target_id,
        )
        for score in meaningful
        if score.metric == metric
    ]
    heatmap.show_heatmap(
        cells,
        rows=list(rows),
        columns=columns,
        title=TITLES[metric],
        decimals=metric_labels.decimals(metric),
        names=("mode", "clips"),
        colours=heatmap.value_range(summaries, metric),
    )


def score_rows(scores: Sequence[queries.TargetScore]) -> tuple[pd.DataFrame, list[int]]:
    """Return one row per target and mode with one column per metric, and the targets' ids.

    Scores without a meaning are left out.
    """
    rows: dict[tuple[object, ...], dict[str, object]] = {}
    for score in meaningful_scores(scores):
        key = (score.target_id, score.generator, score.mode, score.guidance)
        fields = asdict(score)
        names = {
            name: fields[name] for name in ("target", "generator", "mode", "guidance", "clips")
        }
        rows.setdefault(key, names)[score.metric] = score.value
    data = pd.DataFrame(list(rows.values())).dropna(axis="columns", how="all")
    return data, [int(str(target_id)) for target_id, *_ in rows]


def score_table(scores: Sequence[queries.TargetScore]) -> None:
    """Draw the scores of each target and mode as a table. The CSV file contains all targets."""
    st.header("What are the scores of each target and mode?", anchor=False)
    if len(meaningful_scores(scores)) < len(scores):
        st.caption("Melody accuracy has no meaning, and is left out, unless both are pitched.")
    data, target_ids = score_rows(scores)
    metrics = data.columns[list(data.columns).index("clips") + 1 :]
    number_column = st.column_config.NumberColumn
    tables.sortable_table(
        data,
        name="Clips by target",
        columns={
            metric: number_column(
                metric_labels.single_value_label(metric),
                format=f"%.{metric_labels.decimals(metric)}f",
            )
            for metric in metrics
        },
        tracks={"target": target_ids},
        all_rows=lambda: score_rows(queries.target_scores())[0],
    )


def main() -> None:
    """Draw the page, or a message if there is nothing to show."""
    st.title("Generation", anchor=False)
    run = empty_states.latest_run()
    if run is None:
        return
    key = cached_queries.run_key(run)
    counts = cached_queries.library_counts()
    if not has_targets(counts):
        empty_states.no_targets()
        return
    rows = cached_queries.generation_summaries(key)
    primary = settings().primary_generation_metric
    scores: list[queries.TargetScore] = []
    if rows:
        comparisons = cached_queries.mode_comparisons(key)
        tested = queries.primary_metric_of_run(comparisons, primary)
        answer.show(
            *queries.generation_answer(rows, comparisons, primary_metric=tested),
            *cached_queries.choice_sentences(key, "generation", tested),
        )
        mode_summary.section(run, rows)
        targets = target_orders.target_order(key, primary, "", "", "", ORDERS[0])
        if targets:
            st.header("How similar are the clips to each target?", anchor=False)
            name = metric_labels.single_value_label(primary)
            shown = choose_targets(key, primary, score_name=f"by mean {name}")
            scores = target_orders.target_scores(key, tuple(shown))
            heatmap_section(scores, rows)
            slope_charts.section(key, targets, rows, primary_metric=primary)
            group_summaries.section(key, "generation")
    elif any(row.collection == "generated" for row in counts):
        empty_states.no_clip_scores()
    else:
        empty_states.no_clips()
    captions.section()
    if scores and rows:
        score_table(scores)


main()
