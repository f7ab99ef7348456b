"""Averages of the best matches for each encoder, and the differences between encoders."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
from markupsafe import Markup

from dashboard.components import (
    aesthetics_rating,
    charts,
    main_metrics,
    markup,
    metric_labels,
    on_demand,
    tables,
)
from dashboard.components.csv_download import download_button
from dashboard.components.melody_chance_level import MELODY_CHANCE_LEVEL
from dashboard.components.number_format import DASH, format_number
from dashboard.components.plugin_labels import (
    RANDOM_WEIGHTS_NOTE,
    plugin_cell,
    random_weights_badge,
)
from dashboard.components.statistics_cells import (
    ESTABLISHED_WHEN,
    difference_cell,
    established_sentence,
    interval,
    mean_cell,
)
from dashboard.data import cached_queries, latest_rankings
from mirpipe.db import queries
from mirpipe.db.queries.metric_names import NOT_SCORES
from mirpipe.settings import settings

LEADING = (
    *("z", "clap_similarity", "aligned_melody"),
    *("melody_accuracy_melodic", "percentile", "cosine"),
)
"""Metrics that are listed before all others."""
CHARTS = {
    "aligned_melody": ("aligned melody, in any key", "share of the shorter track"),
    "z": ("z: how far the match stands out", "sd above the library's mean"),
    "melody_accuracy_melodic": (
        "melody accuracy of pitched pairs",
        f"share of frames (dashed: chance, {MELODY_CHANCE_LEVEL})",
    ),
    "cosine": ("cosine: cannot be compared", "cosine (each encoder has its own space)"),
}
"""Title and axis of each chart, by metric. That of the primary metric comes first."""
LONG_NAME = 40
"""Longest name of a metric, in letters, that fits three lines in a narrow column."""
HIDDEN = {*metric_labels.AXES, *NOT_SCORES}
"""Metrics that the similarity table leaves out."""


def section(run: queries.Run, rows: Sequence[queries.RetrievalSummary]) -> None:
    """Draw the averages for each encoder as a table and as charts, and compare the encoders."""
    st.header("How similar are the best matches?", anchor=False)
    primary = settings().primary_retrieval_metric
    has_primary = any(row.metric == primary and row.mean is not None for row in rows)
    leading = primary if has_primary else "z"
    summary_chart(rows, leading)
    label_section(latest_rankings.ranking_results(cached_queries.run_key(run)).rankings)
    st.header("What are the averages of each encoder?", anchor=False)
    st.caption(
        "For each encoder, the table shows averages over the best matches of all targets: mean ± "
        "sd, the 95% interval of the mean over targets, and n. Cosines of different encoders "
        "cannot be compared, because each encoder has its own space. z is the number of standard "
        "deviations by which the cosine of the best match exceeds the target's mean cosine to the "
        "whole library. z and percentile show how far a match stands out from the library, but "
        "not how good it is."
    )
    similarities = leading_first({row.metric for row in rows} - HIDDEN)
    first, others = main_metrics.split_metrics(similarities, rows, primary=primary)
    summary_table("Summary by encoder", first, rows)
    if others:
        with st.expander(f"Other metrics ({len(others)})"):
            summary_table("Other metrics by encoder", others, rows)
    if any(row.random for row in rows):
        st.caption(RANDOM_WEIGHTS_NOTE)
    measured = {row.metric for row in rows if row.mean is not None}
    if others := [metric for metric in CHARTS if metric in measured and metric != leading]:
        label = f"Charts of other metrics ({len(others)})"
        on_demand.section(label, partial(_charts, rows, others))
    aesthetics_section(rows)
    difference_section(cached_queries.encoder_comparisons(cached_queries.run_key(run)), rows)


def _charts(rows: Sequence[queries.RetrievalSummary], metrics: Sequence[str]) -> None:
    """Draw one chart per metric, two side by side."""
    for index, column in enumerate(st.columns(2, gap="medium")):
        with column:
            for metric in metrics[index::2]:
                summary_chart(rows, metric)


def label_section(rankings: Sequence[queries.LabelRanking]) -> None:
    """Draw how often the best matches have the same label as their target, if there are labels."""
    rows = [
        row
        for row in rankings
        if row.queries == "targets" and row.rerank == "cosine" and row.metric == "p_at_1" and row.n
    ]
    if not rows:
        return
    st.header("Do the best matches have the same label as their target?", anchor=False)
    st.caption(
        "P@1 is the share of targets whose best match has the same label, with its 95% interval "
        "and the number of targets (n). It is the most direct comparison of encoders. The page "
        "Hubs and agreement shows more ranking metrics."
    )
    labels = list(dict.fromkeys(row.label for row in rows))
    row_of = {(row.encoder, row.label): row for row in rows}
    random = {row.encoder for row in rows if row.random}
    lines = [
        [
            plugin_cell(encoder, random=encoder in random),
            *(_share(row_of.get((encoder, label))) for label in labels),
        ]
        for encoder in dict.fromkeys(row.encoder for row in rows)
    ]
    columns = ["encoder", *(f"{label} P@1" for label in labels)]
    name = "Label agreement of best matches"
    markup.show(tables.html_table(name, columns, lines, numeric=range(1, len(columns))))
    download_button(rows, name=name)


def _share(row: queries.LabelRanking | None) -> Markup:
    if row is None or row.mean is None:
        return Markup(DASH)
    return (
        Markup("<span>{}</span>").format(format_number(row.mean, 2))
        + interval(row.low, row.high, 2)
        + markup.small_line(f"n = {row.n}")
    )


def leading_first(metrics: set[str]) -> list[str]:
    """Return the metrics: first the leading metrics, then all others in alphabetical order."""
    others = sorted(metrics.difference(LEADING))
    return [metric for metric in LEADING if metric in metrics] + others


def aesthetics_section(rows: Sequence[queries.RetrievalSummary]) -> None:
    """Draw the aesthetics ratings of the best matches, if there are any ratings."""
    axes = [axis for axis in metric_labels.AXES if any(row.metric == axis for row in rows)]
    if not axes:
        return
    st.header("How good do the best matches sound?", anchor=False)
    st.caption(
        "For each encoder, the table shows the average rating of the best matches: mean ± sd. "
        f"{aesthetics_rating.MEANING}"
    )
    if any(row.metric_random for row in rows if row.metric in axes):
        markup.show(random_weights_badge(aesthetics_rating.MODEL))
    summary_table("Aesthetics by encoder", axes, rows)


def summary_table(
    title: str, metrics: Sequence[str], rows: Sequence[queries.RetrievalSummary]
) -> None:
    """Draw a table with one row per encoder and one column per metric."""
    row_of = {(row.encoder, row.metric): row for row in rows}
    random = {row.encoder for row in rows if row.random and not row.metric_random}
    highest = {metric: main_metrics.highest_mean(rows, metric) for metric in metrics}
    highest["cosine"] = None  # Cosines of different encoders cannot be compared.
    lines = []
    for encoder in dict.fromkeys(row.encoder for row in rows):
        encoder_rows = [row_of.get((encoder, metric)) for metric in metrics]
        cells = [
            mean_cell(row, metric_labels.decimals(row.metric), highest=highest[row.metric])
            if row
            else Markup(DASH)
            for row in encoder_rows
        ]
        licences = dict.fromkeys(row.licence_weights for row in encoder_rows if row)
        name = plugin_cell(encoder, random=encoder in random)
        lines.append([name, *cells, ", ".join(filter(None, licences)) or DASH])
    columns = ["encoder", *map(metric_labels.metric_label, metrics), "licence of weights"]
    markup.show(tables.html_table(title, columns, lines, numeric=range(1, len(metrics) + 1)))
    download_button([row for row in rows if row.metric in metrics], name=title)


def summary_chart(rows: Sequence[queries.RetrievalSummary], metric: str) -> None:
    """Draw a title and the chart of one metric below it."""
    label = metric_labels.metric_label(metric)
    title, axis = CHARTS.get(metric, (label, label))
    st.subheader(title, anchor=False)
    defined = {row.encoder: row for row in rows if row.metric == metric and row.mean is not None}
    if defined:
        marked_value = MELODY_CHANCE_LEVEL if metric == "melody_accuracy_melodic" else None
        chart = charts.means_by_name(defined, axis=axis, marked_value=marked_value)
        st.altair_chart(chart, alt=f"{title}, by encoder")
    else:
        st.caption("There are no values yet.")


def difference_section(
    comparisons: Sequence[queries.EncoderComparison], rows: Sequence[queries.RetrievalSummary]
) -> None:
    """Draw the paired differences for each pair of encoders, and mark established differences.

    `rows` contains the means of the metrics.
    """
    shown = [
        row for row in comparisons if row.mean_difference is not None and row.metric not in HIDDEN
    ]
    if not shown:
        return
    st.header("Do the encoders differ?", anchor=False)
    st.markdown(established_sentence(sum(row.established for row in shown), len(shown)))
    st.caption(
        "Each cell shows the difference between the first and the second encoder, paired over "
        "targets: the mean difference, its 95% interval, the number of targets (n), the number of "
        "targets for which the first encoder is higher, and the corrected p-value of a sign-flip "
        "test. " + ESTABLISHED_WHEN
    )
    primary = next((row.metric for row in shown if row.role == "primary"), "")
    metrics = leading_first({row.metric for row in shown})
    first, others = main_metrics.split_metrics(metrics, rows, primary=primary)
    name = "Differences between encoders"
    difference_table(name, first, shown, primary=primary)
    if others:
        with st.expander(f"Other metrics ({len(others)})"):
            difference_table(f"{name}, other metrics", others, shown, primary=primary)
    download_button(shown, name=name)


def difference_table(
    name: str,
    metrics: Sequence[str],
    comparisons: Sequence[queries.EncoderComparison],
    *,
    primary: str,
) -> None:
    """Draw a table with one line per pair of encoders, and one column per metric."""
    row_of = {(row.encoder, row.than_encoder, row.metric): row for row in comparisons}
    lines = []
    for first, second in dict.fromkeys((row.encoder, row.than_encoder) for row in comparisons):
        pair = Markup("{} − {}").format(markup.title(first), markup.title(second))
        cells = [_difference(row_of.get((first, second, metric))) for metric in metrics]
        lines.append([markup.no_wrap(pair), *cells])
    columns = ["encoders", *(_heading(metric, primary=metric == primary) for metric in metrics)]
    markup.show(tables.html_table(name, columns, lines, numeric=range(1, len(columns))))


def _heading(metric: str, *, primary: bool) -> str | Markup:
    """Return the name of a metric. A long name has a minimum width, to fit three lines."""
    label = metric_labels.metric_label(metric) + (" (primary)" if primary else "")
    return markup.wide(label) if len(label) > LONG_NAME else label


def _difference(row: queries.EncoderComparison | None) -> Markup:
    if row is None:
        return Markup(DASH)
    return difference_cell(row, metric_labels.decimals(row.metric))
