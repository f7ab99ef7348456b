"""The encoders' first answers, averaged over targets, and which differences are established."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import aesthetics_rating, charts, markup, metric_labels, tables
from dashboard.data import cached_queries
from dashboard.views.listen.match_cards import CHANCE
from mirpipe.db import queries
from mirpipe.db.queries import encoder_comparison
from mirpipe.db.queries.metric_names import BOUNDS

LEADING = ("z", "clap_similarity", "melody_accuracy_melodic", "percentile", "cosine")
HIDDEN = {*metric_labels.AXES, *BOUNDS}


def results(run: queries.Run, rows: Sequence[queries.Summary]) -> None:
    """The summary by encoder: a table to read off, charts to compare, and what holds."""
    st.subheader("How near are the nearest?", anchor=False)
    st.caption(
        "Every target's first answer, by encoder: mean ± sd, the mean's 95 % interval over "
        "targets, and n. A cosine lies in its encoder's own space and cannot be compared between "
        "encoders; z (standard deviations above the target's cosines to the whole library) can."
    )
    near = ordered({row.metric for row in rows} - HIDDEN)
    table("Summary by encoder", near, rows)
    if any(row.random for row in rows):
        st.caption("Random weights: a stand-in for a model, whose numbers say nothing about music.")
    z, cosine, melody = st.columns(3, gap="medium")
    with z:
        chart(rows, "z", "z: compare these", "sd above the library's mean")
    with cosine:
        chart(rows, "cosine", "cosine: do not compare these", "cosine, each in its own space")
    with melody:
        chart(
            rows,
            "melody_accuracy_melodic",
            "melody accuracy, pitched pairs",
            f"share of frames; dashed: chance, {CHANCE}",
            mark=CHANCE,
        )
    aesthetics(rows)
    differences(cached_queries.comparisons(cached_queries.key(run)))


def ordered(metrics: set[str]) -> list[str]:
    """The metrics that answer the question first, then the others by name."""
    rest = sorted(metrics.difference(LEADING))
    return [one for one in LEADING if one in metrics] + rest


def aesthetics(rows: Sequence[queries.Summary]) -> None:
    """What a model says of the answers, where one was asked."""
    axes = [one for one in metric_labels.AXES if any(row.metric == one for row in rows)]
    if not axes:
        return
    st.subheader("How good do the nearest sound?", anchor=False)
    st.caption(
        "Every target's first answer, by encoder: mean ± sd of what listeners would give it, 1 to "
        "10 points, as Audiobox Aesthetics predicts it: content enjoyment, content usefulness, "
        "production complexity, production quality."
    )
    if any(row.metric_random for row in rows if row.metric in axes):
        markup.show(markup.badge(f"{aesthetics_rating.MODEL}: {markup.RANDOM}"))
    table("Aesthetics by encoder", axes, rows)


def table(title: str, metrics: Sequence[str], rows: Sequence[queries.Summary]) -> None:
    """One line an encoder, one cell a metric."""
    found = {(row.encoder, row.metric): row for row in rows}
    random = {row.encoder for row in rows if row.random and not row.metric_random}
    lines = []
    for encoder in dict.fromkeys(row.encoder for row in rows):
        name = markup.title(encoder)
        if encoder in random:
            name += Markup("<br>") + markup.badge(markup.RANDOM)
        of_encoder = [found.get((encoder, one)) for one in metrics]
        cells = [
            markup.averaged(row, metric_labels.decimals(row.metric)) if row else Markup(markup.DASH)
            for row in of_encoder
        ]
        licences = dict.fromkeys(row.licence_weights for row in of_encoder if row)
        lines.append([name, *cells, ", ".join(filter(None, licences)) or markup.DASH])
    heads = ["encoder", *map(metric_labels.named, metrics), "licence of weights"]
    markup.show(markup.table(title, heads, lines, numeric=range(1, len(metrics) + 1)))
    tables.download([row for row in rows if row.metric in metrics], name=title)


def chart(
    rows: Sequence[queries.Summary], name: str, head: str, axis: str, *, mark: float | None = None
) -> None:
    """One metric's chart under its name."""
    chosen = [row for row in rows if row.metric == name and row.mean is not None]
    st.markdown(f"**{head}**")
    if chosen:
        st.altair_chart(charts.comparison(chosen, axis=axis, mark=mark), alt=f"{head}, by encoder")
    else:
        st.caption("No pair has a number.")


def differences(rows: Sequence[encoder_comparison.Comparison]) -> None:
    """Encoders compared, with what is established and what is not."""
    shown = [row for row in rows if row.mean_difference is not None and row.metric not in HIDDEN]
    if not shown:
        return
    st.subheader("Do the encoders differ?", anchor=False)
    st.caption(
        "The first encoder less the second, paired over targets: mean difference, its 95 % "
        "interval, at how many of n targets the first is higher, and p of a sign-flip test after "
        "Holm's correction over all comparisons. ✓ established: p below 0.05. Without it, a "
        "difference may be chance."
    )
    metrics = ordered({row.metric for row in shown})
    found = {(row.encoder, row.than_encoder, row.metric): row for row in shown}
    lines = []
    for first, second in dict.fromkeys((row.encoder, row.than_encoder) for row in shown):
        cells = [found.get((first, second, one)) for one in metrics]
        pair = Markup("{} less {}").format(markup.title(first), markup.title(second))
        head = markup.together(pair)
        lines.append([head, *(difference(one) for one in cells)])
    heads = ["encoders", *map(metric_labels.named, metrics)]
    name = "Encoders compared"
    markup.show(markup.table(name, heads, lines, numeric=range(1, len(heads))))
    tables.download(shown, name=name)


def difference(row: encoder_comparison.Comparison | None) -> Markup:
    """One cell of the comparison."""
    if row is None:
        return Markup(markup.DASH)
    return markup.difference(row, metric_labels.decimals(row.metric))
