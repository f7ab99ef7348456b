"""Averages of the clips for each generation mode, and the differences between modes."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import (
    aesthetics_rating,
    charts,
    main_metrics,
    markup,
    metric_labels,
    tables,
)
from dashboard.components.csv_download import download_button
from dashboard.components.melody_chance_level import MELODY_CHANCE_LEVEL
from dashboard.components.mode_names import mode_with_guidance
from dashboard.components.number_format import DASH
from dashboard.components.plugin_labels import RANDOM_WEIGHTS_NOTE, plugin_cell
from dashboard.components.statistics_cells import (
    ESTABLISHED_WHEN,
    difference_cell,
    established_sentence,
    mean_cell,
)
from dashboard.data import cached_queries
from dashboard.views.generation import guidance_charts
from dashboard.views.generation.guidance_charts import LEADING
from dashboard.views.generation.metric_heading import metric_heading
from mirpipe.db import queries
from mirpipe.db.queries.metric_names import NOT_SCORES
from mirpipe.settings import settings

LineKey = tuple[str, ...]
"""Texts in the first columns of a line: the generator, and one or two modes."""


def section(run: queries.Run, rows: Sequence[queries.GenerationSummary]) -> None:
    """Draw the averages for each mode as tables and charts, and compare the modes."""
    metrics = {row.metric for row in rows} - {*metric_labels.AXES, *NOT_SCORES}
    similarities = [metric for metric in LEADING if metric in metrics]
    similarities += sorted(metrics.difference(LEADING))
    st.header("How similar are the generated clips to their targets?", anchor=False)
    primary = settings().primary_generation_metric
    mean_chart(rows, primary)
    st.caption(
        "For each generator, mode and guidance, the table shows averages over the targets. The "
        "values of a target's clips are averaged first. Each cell shows mean ± sd over the "
        "targets, the 95% interval of the mean, the number of targets (n), and the number of "
        "clips without a value. "
        "Cosines of different encoders cannot be compared, because each encoder has its own space. "
        "Melody accuracy is the share of frames with the same pitch class (chance: about "
        f"{MELODY_CHANCE_LEVEL}). Its average includes unpitched targets, for which it has no "
        "meaning. Aligned melody and chance-corrected melody accuracy leave them out. The licence "
        "of the weights that a metric uses is shown below its name."
    )
    first, others = main_metrics.split_metrics(similarities, rows, primary=primary)
    average_table("Similarity by mode", first, rows)
    if others:
        with st.expander(f"Other metrics ({len(others)})"):
            average_table("Other metrics by mode", others, rows)
    if any(row.random or row.metric_random for row in rows):
        st.caption(RANDOM_WEIGHTS_NOTE)
    guidance_charts.section([row for row in rows if row.metric in similarities], similarities)
    axes = [axis for axis in metric_labels.AXES if any(row.metric == axis for row in rows)]
    if axes:
        st.header("How good do the clips sound?", anchor=False)
        st.caption(
            "For each generator, mode and guidance, the table shows the average rating of the "
            f"clips: mean ± sd over the targets, as above. {aesthetics_rating.MEANING}"
        )
        average_table("Aesthetics by mode", axes, rows)
    comparisons = cached_queries.mode_comparisons(cached_queries.run_key(run))
    if comparisons:
        difference_section([*similarities, *axes], rows, comparisons)


def mean_chart(rows: Sequence[queries.GenerationSummary], metric: str) -> None:
    """Draw the mean of one metric for each mode, or nothing if it has no values."""
    defined = [row for row in rows if row.metric == metric and row.mean is not None]
    if not defined:
        return
    label = metric_labels.metric_label(metric)
    several = len({row.generator for row in defined}) > 1
    means = {
        (f"{row.generator} " if several else "") + mode_with_guidance(row.mode, row.guidance): row
        for row in defined
    }
    st.altair_chart(charts.means_by_name(means, axis=label), alt=f"{label}, by mode")


def average_table(
    title: str, metrics: Sequence[str], rows: Sequence[queries.GenerationSummary]
) -> None:
    """Draw a table with one line per generator, mode and guidance, and one column per metric."""
    has_guidance = any(row.guidance is not None for row in rows)
    names = ["generator", "mode (guidance)" if has_guidance else "mode"]
    cells: dict[LineKey, dict[str, Markup]] = {}
    for row in rows:
        line = (row.generator, mode_with_guidance(row.mode, row.guidance))
        highest = main_metrics.highest_mean(rows, row.metric)
        cell = mean_cell(row, metric_labels.decimals(row.metric), highest=highest)
        cells.setdefault(line, {})[row.metric] = cell
    _table(title, names, metrics, cells, rows)
    download_button([row for row in rows if row.metric in metrics], name=title)


def difference_section(
    metrics: Sequence[str],
    rows: Sequence[queries.GenerationSummary],
    comparisons: Sequence[queries.ModeComparison],
) -> None:
    """Draw the paired differences for each pair of modes, and mark established differences."""
    shown = [comparison for comparison in comparisons if comparison.metric in metrics]
    defined = [comparison for comparison in shown if comparison.mean_difference is not None]
    st.header("Do the modes differ?", anchor=False)
    st.markdown(
        established_sentence(sum(comparison.established for comparison in defined), len(defined))
    )
    st.caption(
        "Each cell shows the difference between the first and the second mode, paired over the "
        "targets that have a value for both modes. The seeds of a target are averaged. The cell "
        "shows the mean difference, its 95% interval, the number of targets (n), the number of "
        "targets for which the first mode is higher, and the corrected p-value of a sign-flip "
        "test. " + ESTABLISHED_WHEN
    )
    cells: dict[LineKey, dict[str, Markup]] = {}
    for comparison in comparisons:
        first = mode_with_guidance(comparison.mode, comparison.guidance)
        second = mode_with_guidance(comparison.than_mode, comparison.than_guidance)
        line = (comparison.generator, f"{first} − {second}")
        cell = difference_cell(comparison, metric_labels.decimals(comparison.metric))
        cells.setdefault(line, {})[comparison.metric] = cell
    primary = settings().primary_generation_metric
    first_metrics, others = main_metrics.split_metrics(metrics, rows, primary=primary)
    has_guidance = any(each.guidance is not None for each in comparisons)
    columns = ("generator", "modes (guidance)" if has_guidance else "modes")
    title = "Differences between modes"
    _table(title, columns, first_metrics, cells, rows)
    if others:
        with st.expander(f"Other metrics ({len(others)})"):
            _table(f"{title}, other metrics", columns, others, cells, rows)
    download_button(shown, name=title)


def _table(
    title: str,
    name_columns: Sequence[str],
    metrics: Sequence[str],
    cells: dict[LineKey, dict[str, Markup]],
    rows: Sequence[queries.GenerationSummary],
) -> None:
    """Draw a table with the generator in the first column. Random weights are marked."""
    random = {row.generator for row in rows if row.random}
    licences = {row.generator: row.licence_weights or DASH for row in rows}
    lines = []
    for (generator, *names), cell_of in cells.items():
        if not any(metric in cell_of for metric in metrics):
            continue
        lines.append(
            [
                plugin_cell(generator, random=generator in random),
                *map(markup.no_wrap, names),
                *(cell_of.get(metric, Markup(DASH)) for metric in metrics),
                licences.get(generator, DASH),
            ]
        )
    headings = [metric_heading(metric, rows) for metric in metrics]
    columns = [*name_columns, *headings, "licence of weights"]
    numeric = range(len(name_columns), len(name_columns) + len(metrics))
    markup.show(tables.html_table(title, columns, lines, numeric=numeric))
