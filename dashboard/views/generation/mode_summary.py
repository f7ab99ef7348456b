"""How like their targets the clips of each mode are: averages, guidance, and modes compared."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import charts, markup, metric_labels, tables
from dashboard.data import cached_queries
from mirpipe.db import queries
from mirpipe.db.queries.metric_names import BOUNDS

CHARTS_A_ROW = 3
LEADING = ("clap_text_score", "clap_similarity", "melody_accuracy")
ADHERENCE, LIKENESS = LEADING[:2]
# Names of what is compared, less what differs only in the number: one row of a table.
Line = tuple[str, ...]


def results(run: queries.Run, rows: Sequence[queries.GenerationSummary]) -> None:
    """All that the run says of the modes."""
    deltas = cached_queries.generation_deltas(cached_queries.key(run))
    found = {row.metric for row in rows} - {*metric_labels.AXES, *BOUNDS}
    likeness = [one for one in LEADING if one in found] + sorted(found.difference(LEADING))
    axes = [one for one in metric_labels.AXES if any(row.metric == one for row in rows)]
    st.subheader("How like its target is what was made?", anchor=False)
    st.caption(
        "Clip against target, by generator, mode and guidance: mean ± sd over the clips, the "
        "mean's 95 % interval over targets, and n. A cosine lies in its encoder's own space and "
        "cannot be compared between encoders. Melody accuracy: share of frames with the same pitch "
        "class, by chance about 0.085, here also of unpitched targets, where it has no meaning. "
        "Below a number's name, the licence of the weights that measured it."
    )
    averages("Likeness by mode", likeness, rows)
    if any(row.random or row.metric_random for row in rows):
        st.caption("Random weights: a stand-in for a model, whose numbers say nothing about music.")
    guidance([row for row in rows if row.metric in likeness], likeness)
    if axes:
        st.subheader("How good does it sound?", anchor=False)
        st.caption(
            "Mean ± sd of what listeners would give the clips, 1 to 10 points, as Audiobox "
            "Aesthetics predicts it."
        )
        averages("Aesthetics by mode", axes, rows)
    if deltas:
        st.subheader("Do the modes differ?", anchor=False)
        st.caption(
            "The first mode less the second, paired over the targets that both have a number for "
            "(the seeds of a target averaged): mean difference, its 95 % interval, at how many of "
            "n targets the first is higher, and p of a sign-flip test after Holm's correction. "
            "✓ established: p below 0.05. Without it, a difference may be chance."
        )
        differences("Modes compared", [*likeness, *axes], rows, deltas)


def averages(title: str, metrics: Sequence[str], rows: Sequence[queries.GenerationSummary]) -> None:
    """A line a generator, mode and guidance, a cell a metric."""
    cells: dict[Line, dict[str, Markup]] = {}
    for row in rows:
        line = (row.generator, row.mode, metric_labels.guided(row.guidance))
        written = markup.averaged(row, metric_labels.decimals(row.metric))
        cells.setdefault(line, {})[row.metric] = written
    _table(title, ("generator", "mode", "guidance"), metrics, cells, rows)
    tables.download([row for row in rows if row.metric in metrics], name=title)


def differences(
    title: str,
    metrics: Sequence[str],
    rows: Sequence[queries.GenerationSummary],
    deltas: Sequence[queries.Delta],
) -> None:
    """A line a pair of modes, a cell a metric."""
    cells: dict[Line, dict[str, Markup]] = {}
    for delta in deltas:
        pair = [(delta.mode, delta.guidance), (delta.than_mode, delta.than_guidance)]
        first, second = (named(mode, guidance) for mode, guidance in pair)
        line = (delta.generator, f"{first} less {second}")
        written = markup.difference(delta, metric_labels.decimals(delta.metric))
        cells.setdefault(line, {})[delta.metric] = written
    _table(title, ("generator", "modes (guidance)"), metrics, cells, rows)
    tables.download([row for row in deltas if row.metric in metrics], name=title)


def guidance(rows: Sequence[queries.GenerationSummary], metrics: Sequence[str]) -> None:
    """Likeness over guidance, for the generators that have some, and what it costs in words."""
    guided = [row for row in rows if row.guidance is not None and row.mean is not None]
    for generator in dict.fromkeys(row.generator for row in guided):
        of_generator = [row for row in guided if row.generator == generator]
        markup.show(
            markup.weights(
                f"Guidance of {generator}",
                of_generator[0].licence_weights,
                random=of_generator[0].random,
            )
        )
        there = [one for one in metrics if any(row.metric == one for row in of_generator)]
        leading = [one for one in there if one in LEADING or one.startswith("cosine ")]
        for first in range(0, len(leading), CHARTS_A_ROW):
            columns = st.columns(CHARTS_A_ROW, gap="medium")
            for column, one in zip(columns, leading[first:], strict=False):
                chosen = [row for row in of_generator if row.metric == one]
                with column:
                    head = _head(one, chosen)
                    markup.show(Markup("<div class='mp-chart'>{}</div>").format(head))
                    st.altair_chart(
                        charts.by_guidance(chosen),
                        alt=f"{metric_labels.named(one)} of {generator}, by guidance",
                    )
    exchange(rows)


def exchange(rows: Sequence[queries.GenerationSummary]) -> None:
    """Adherence to the words against likeness to the target, at every guidance that was run."""
    means = {
        (row.generator, row.mode, row.guidance, row.metric): row.mean
        for row in rows
        if row.metric in (ADHERENCE, LIKENESS) and row.mean is not None
    }
    ways = dict.fromkeys((generator, mode, scale) for generator, mode, scale, _ in means)
    points = [
        {
            "generator": generator,
            "mode": mode,
            "guidance": guidance,
            "label": named(mode, guidance),
            "x": means[generator, mode, guidance, ADHERENCE],
            "y": means[generator, mode, guidance, LIKENESS],
        }
        for generator, mode, guidance in ways
        if {(generator, mode, guidance, one) for one in (ADHERENCE, LIKENESS)} <= means.keys()
    ]
    if not points:
        return
    st.markdown("**What guidance gains and what it costs**")
    st.caption("Each dot is a mode at its guidance: further right follows the words more closely.")
    chart = charts.exchange(
        pd.DataFrame(points),
        across="CLAP similarity of words and clip",
        up="CLAP similarity of target and clip",
    )
    st.altair_chart(chart, alt="Adherence to the words against likeness to the target, by mode")


def named(mode: str, guidance: float | None) -> str:
    """A mode with its guidance, where it has one."""
    return mode if guidance is None else f"{mode} ({guidance:g})"


def _head(name: str, rows: Sequence[queries.GenerationSummary]) -> Markup:
    """A metric's name, and what a reader must know of the weights that measured it."""
    known = next((row for row in rows if row.metric == name), None)
    head = Markup("{}").format(metric_labels.named(name))
    if known and known.metric_licence_weights:
        head += markup.small(known.metric_licence_weights)
    if known and known.metric_random:
        head += markup.badge(markup.RANDOM)
    return head


def _table(
    title: str,
    names: Sequence[str],
    metrics: Sequence[str],
    cells: dict[Line, dict[str, Markup]],
    rows: Sequence[queries.GenerationSummary],
) -> None:
    """Lines begin with the generator, which is marked where its weights are random."""
    random = {row.generator for row in rows if row.random}
    licences = {row.generator: row.licence_weights or markup.DASH for row in rows}
    lines = []
    for (generator, *others), by_metric in cells.items():
        if not any(one in by_metric for one in metrics):
            continue
        name = markup.together(markup.title(generator))
        if generator in random:
            name += Markup("<br>") + markup.badge(markup.RANDOM)
        values = [by_metric.get(one, Markup(markup.DASH)) for one in metrics]
        lines.append(
            [name, *map(markup.together, others), *values, licences.get(generator, markup.DASH)]
        )
    heads = [*names, *(_head(one, rows) for one in metrics), "licence of weights"]
    numeric = range(len(names), len(names) + len(metrics))
    markup.show(markup.table(title, heads, lines, numeric=numeric))
