"""Comparison of the published means with the means of our own latest run, by metric."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, metric_labels, tables
from dashboard.components.csv_download import download_button
from dashboard.components.mode_names import mode_with_guidance
from dashboard.components.number_format import DASH
from dashboard.components.plugin_labels import plugin_cell
from dashboard.components.statistics_cells import interval, mean_and_sd
from dashboard.data import cached_queries
from mirpipe.db.queries.published_results import PublishedMean

METRIC_ORDER = ("cosine", "clap_similarity", "melody_accuracy", *metric_labels.AXES)


@dataclass(frozen=True)
class OwnMean:
    """Mean from our own latest run, with the same fields as a published mean."""

    subject: str
    metric: str
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    n: int
    random: bool


def own_means(task: str, key: cached_queries.RunKey | None) -> list[OwnMean]:
    """Return the means from our own latest run for a task, or an empty list if there is no run."""
    if key is None:
        return []
    if task == "retrieval":
        return [
            OwnMean(row.encoder, row.metric, row.mean, row.sd, row.low, row.high, row.n, row.random)
            for row in cached_queries.retrieval_summaries(key)
        ]
    return [
        OwnMean(
            f"{row.generator} {mode_with_guidance(row.mode, row.guidance)}",
            *(row.metric, row.mean, row.sd, row.low, row.high, row.n),
            row.random or row.metric_random,
        )
        for row in cached_queries.generation_summaries(key)
    ]


def section(task: str, published: Sequence[PublishedMean], own: Sequence[OwnMean]) -> None:
    """Draw published and own means in one table, with one row for each encoder or mode."""
    st.header(f"How do our {task} results compare with the published ones?", anchor=False)
    own_space = " Cosines of different encoders cannot be compared."
    st.caption(
        "Each cell shows mean ± sd, the 95% interval of the mean over targets, and n. The targets "
        "and the library differ, so no statistical test applies between published and own results."
        + (own_space if any(row.metric == "cosine" for row in published) else "")
    )
    metrics = sorted({row.metric for row in published}, key=METRIC_ORDER.index)
    own = [row for row in own if row.metric in metrics]
    lines = [
        *table_lines(published, metrics, "published"),
        *table_lines(own, metrics, "this library"),
    ]
    name = f"{task.capitalize()} published and ours"
    labels = map(metric_labels.metric_label, metrics)
    columns = ["encoder" if task == "retrieval" else "mode", "source", *labels]
    markup.show(tables.html_table(name, columns, lines, numeric=range(2, len(columns))))
    rows = [
        *({"source": "published", **asdict(row)} for row in published),
        *({"source": "library", **asdict(row)} for row in own),
    ]
    download_button(pd.DataFrame(rows), name=name)


def table_lines(
    means: Sequence[PublishedMean] | Sequence[OwnMean], metrics: Sequence[str], source: str
) -> list[list[str | Markup]]:
    """Return one line per encoder or mode, with one cell per metric."""
    row_of = {(row.subject, row.metric): row for row in means}
    random = {row.subject for row in means if isinstance(row, OwnMean) and row.random}
    return [
        [
            plugin_cell(subject, random=subject in random),
            markup.no_wrap(source),
            *(_cell(row_of.get((subject, metric)), metric) for metric in metrics),
        ]
        for subject in dict.fromkeys(row.subject for row in means)
    ]


def _cell(row: PublishedMean | OwnMean | None, metric: str) -> Markup:
    if row is None or row.mean is None:
        return Markup(DASH)
    decimals = metric_labels.decimals(metric)
    return (
        mean_and_sd(row.mean, row.sd, decimals)
        + interval(row.low, row.high, decimals)
        + markup.small_line(f"n = {row.n}")
    )
