"""Published means beside our own of the same metrics, without a claim that they compare."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components import metric_labels as metric
from dashboard.data import cached_queries
from dashboard.views.generation import mode_summary
from mirpipe.db.queries.published_results import PublishedMean

LEADING = ("cosine", "clap_similarity", "melody_accuracy")


@dataclass(frozen=True)
class Ours:
    """A mean of our own latest run, as the published ones are given."""

    subject: str
    metric: str
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    n: int
    random: bool


def ours(task: str, key: cached_queries.Key | None) -> list[Ours]:
    """Our own means of this task; none before the first run."""
    if key is None:
        return []
    if task == "retrieval":
        return [
            Ours(row.encoder, row.metric, row.mean, row.sd, row.low, row.high, row.n, row.random)
            for row in cached_queries.summary(key)
        ]
    return [
        Ours(
            f"{row.generator} {mode_summary.named(row.mode, row.guidance)}",
            *(row.metric, row.mean, row.sd, row.low, row.high, row.n),
            row.random or row.metric_random,
        )
        for row in cached_queries.generation_summary(key)
    ]


def section(task: str, means: Sequence[PublishedMean], own: Sequence[Ours]) -> None:
    """Published means and our own, a line each encoder or mode."""
    st.subheader(f"{task}: published and ours", anchor=False)
    st.caption(
        "Mean ± sd, the mean's 95 % interval over targets, and n. Other targets and another "
        "library: read them beside each other, no test holds between them."
        + (
            " A cosine lies in its encoder's own space."
            if any(one.metric == "cosine" for one in means)
            else ""
        )
    )
    order = [*LEADING, *metric.AXES]
    metrics = sorted({one.metric for one in means}, key=order.index)
    lines = [
        *lines_of(means, metrics, "published"),
        *lines_of([one for one in own if one.metric in metrics], metrics, "this library"),
    ]
    name = f"{task} published and ours"
    heads = ["of", "source", *map(metric.named, metrics)]
    markup.show(markup.table(name, heads, lines, numeric=range(2, len(heads))))
    rows = [
        *({"source": "published", **asdict(one)} for one in means),
        *({"source": "library", **asdict(one)} for one in own if one.metric in metrics),
    ]
    tables.download(pd.DataFrame(rows), name=name)


def lines_of(
    means: Sequence[PublishedMean] | Sequence[Ours], metrics: Sequence[str], source: str
) -> list[list[str | Markup]]:
    """A line a subject, a cell a metric."""
    found = {(one.subject, one.metric): one for one in means}
    random = {one.subject for one in means if isinstance(one, Ours) and one.random}
    lines: list[list[str | Markup]] = []
    for subject in dict.fromkeys(one.subject for one in means):
        name = markup.together(markup.title(subject))
        if subject in random:
            name += Markup("<br>") + markup.badge(markup.RANDOM)
        of_subject = [(found.get((subject, one)), one) for one in metrics]
        lines.append([name, markup.together(source), *(cell(row, one) for row, one in of_subject)])
    return lines


def cell(row: PublishedMean | Ours | None, name: str) -> Markup:
    """Mean ± sd above interval and n, or a dash."""
    if row is None or row.mean is None:
        return Markup(markup.DASH)
    places = metric.decimals(name)
    interval = markup.interval(row.low, row.high, places)
    return markup.spread(row.mean, row.sd, places) + interval + markup.small(f"n = {row.n}")
