"""How like their targets the clips of each mode are: averages, guidance, and modes compared."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard import cached, charts, markup, rating
from mirpipe.db import reports

AXES = {metric: (name, decimals) for metric, name, decimals in rating.AXES}
LIKENESS_DECIMALS = 3
CHARTS_A_ROW = 3
# Names of what is compared, less what differs only in the number: one row of a table.
Line = tuple[str, ...]


def named(metric: str) -> str:
    """A metric's name for people; that of a cosine ends with its encoder's."""
    return AXES[metric][0] if metric in AXES else metric.replace("_", " ")


def guided(guidance: float | None) -> str:
    """A guidance scale, or none where the generator has none."""
    return "none" if guidance is None else f"{guidance:g}"


def results(run: reports.Run, rows: Sequence[reports.GenerationSummary]) -> None:
    """All that the run says of the modes."""
    deltas = cached.generation_deltas(cached.key(run))
    likeness = list(dict.fromkeys(row.metric for row in rows if row.metric not in AXES))
    axes = [metric for metric in AXES if any(row.metric == metric for row in rows)]
    st.subheader("How like its target is what was made?", anchor=False)
    st.caption(
        "Clip against target, by generator, mode and guidance: mean ± sd over the clips. A cosine "
        "lies in its encoder's own space and cannot be compared between encoders. Melody accuracy: "
        "share of frames with the same pitch class, by chance about 0.085, here also of unpitched "
        "targets, where it has no meaning. Below a number's name, the licence of the weights that "
        "measured it."
    )
    averages("Likeness by mode", likeness, rows)
    if any(row.random or row.metric_random for row in rows):
        st.caption("Random weights: a stand-in for a model, whose numbers say nothing about music.")
    guidance([row for row in rows if row.metric in likeness])
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
            "(the seeds of a target averaged): mean difference ± sd of the differences, n targets, "
            "and at how many of them the first is higher. Not computed yet: intervals and tests. "
            "Whether a difference is more than chance is therefore not known."
        )
        differences("Modes compared", [*likeness, *axes], rows, deltas)


def averages(title: str, metrics: Sequence[str], rows: Sequence[reports.GenerationSummary]) -> None:
    """A line a generator, mode and guidance, a cell a metric."""
    cells: dict[Line, dict[str, Markup]] = {}
    for row in rows:
        line = (row.generator, row.mode, guided(row.guidance))
        cells.setdefault(line, {})[row.metric] = markup.averaged(
            row.mean, row.sd, row.n, row.undefined_n, _decimals(row.metric)
        )
    _table(title, ("generator", "mode", "guidance"), metrics, cells, rows)


def differences(
    title: str,
    metrics: Sequence[str],
    rows: Sequence[reports.GenerationSummary],
    deltas: Sequence[reports.Delta],
) -> None:
    """A line a pair of modes, a cell a metric."""
    cells: dict[Line, dict[str, Markup]] = {}
    for delta in deltas:
        pair = [(delta.mode, delta.guidance), (delta.than_mode, delta.than_guidance)]
        first, second = (
            mode if guidance is None else f"{mode} ({guidance:g})" for mode, guidance in pair
        )
        line = (delta.generator, f"{first} less {second}")
        remark = markup.small(f"n = {delta.n}, higher at {delta.higher_n}")
        decimals = _decimals(delta.metric)
        cells.setdefault(line, {})[delta.metric] = (
            markup.spread(delta.mean_difference, delta.sd, decimals) + remark
        )
    _table(title, ("generator", "modes (guidance)"), metrics, cells, rows)


def guidance(rows: Sequence[reports.GenerationSummary]) -> None:
    """Every likeness over guidance, for the generators that have some."""
    guided_rows = [row for row in rows if row.guidance is not None and row.mean is not None]
    for generator in dict.fromkeys(row.generator for row in guided_rows):
        of_generator = [row for row in guided_rows if row.generator == generator]
        metrics = list(dict.fromkeys(row.metric for row in of_generator))
        markup.show(
            markup.weights(
                f"Guidance of {generator}",
                of_generator[0].licence_weights,
                random=of_generator[0].random,
            )
        )
        for first in range(0, len(metrics), CHARTS_A_ROW):
            columns = st.columns(CHARTS_A_ROW, gap="medium")
            for column, metric in zip(columns, metrics[first:], strict=False):
                chosen = [row for row in of_generator if row.metric == metric]
                with column:
                    head = _head(metric, chosen)
                    markup.show(Markup("<div class='mp-chart'>{}</div>").format(head))
                    st.altair_chart(
                        charts.by_guidance(chosen),
                        alt=f"{named(metric)} of {generator}, by guidance",
                    )


def _decimals(metric: str) -> int:
    return AXES[metric][1] if metric in AXES else LIKENESS_DECIMALS


def _head(metric: str, rows: Sequence[reports.GenerationSummary]) -> Markup:
    """A metric's name, and what a reader must know of the weights that measured it."""
    known = next((row for row in rows if row.metric == metric), None)
    head = Markup("{}").format(named(metric))
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
    rows: Sequence[reports.GenerationSummary],
) -> None:
    """Lines begin with the generator, which is marked where its weights are random."""
    random = {row.generator for row in rows if row.random}
    licences = {row.generator: row.licence_weights or markup.DASH for row in rows}
    lines = []
    for (generator, *others), by_metric in cells.items():
        if not any(metric in by_metric for metric in metrics):
            continue
        name = markup.together(markup.title(generator))
        if generator in random:
            name += Markup("<br>") + markup.badge(markup.RANDOM)
        values = [by_metric.get(metric, Markup(markup.DASH)) for metric in metrics]
        lines.append([name, *others, *values, licences.get(generator, markup.DASH)])
    heads = [*names, *(_head(metric, rows) for metric in metrics), "licence of weights"]
    numeric = range(len(names), len(names) + len(metrics))
    markup.show(markup.table(title, heads, lines, numeric=numeric))
