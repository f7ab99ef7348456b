"""Guidance charts: how similarity changes with guidance, and what guidance costs or gains."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

import altair as alt
import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, metric_labels, on_demand
from dashboard.components.charts import GREY, LINE_CHART_PIXELS, interval_layers, tooltips
from dashboard.components.mode_names import mode_with_guidance
from dashboard.components.plugin_labels import plugin_heading
from dashboard.views.generation.metric_heading import metric_heading
from mirpipe.db import queries

CHARTS_PER_ROW = 3
CHART_PIXELS = 260
TEXT_METRIC, TARGET_METRIC = "clap_text_score", "clap_similarity"
PITCHED_ONLY = ("aligned_melody", "melody_accuracy_corrected")
"""Metrics of the melody that are undefined for unpitched targets. They are listed first."""
LEADING = (TEXT_METRIC, TARGET_METRIC, *PITCHED_ONLY, "melody_accuracy")
"""Metrics that have a guidance chart. Cosines also have guidance charts."""


def section(rows: Sequence[queries.GenerationSummary], metrics: Sequence[str]) -> None:
    """Draw one chart per metric for each generator with a guidance scale.

    The charts after the first row are drawn when they are asked for.
    """
    guided = [row for row in rows if row.guidance is not None and row.mean is not None]
    for generator in dict.fromkeys(row.generator for row in guided):
        rows_of_generator = [row for row in guided if row.generator == generator]
        first = rows_of_generator[0]
        markup.show(
            plugin_heading(f"Guidance of {generator}", first.licence_weights, random=first.random)
        )
        measured = {row.metric for row in rows_of_generator}
        drawn = [
            metric
            for metric in metrics
            if metric in measured and (metric in LEADING or metric.startswith("cosine "))
        ]
        _draw(rows_of_generator, drawn[:CHARTS_PER_ROW])
        if others := drawn[CHARTS_PER_ROW:]:
            on_demand.section(
                f"Other metrics of {generator} by guidance ({len(others)})",
                partial(_draw, rows_of_generator, others),
            )
    trade_off(rows)


def _draw(rows: Sequence[queries.GenerationSummary], metrics: Sequence[str]) -> None:
    """Draw one chart per metric of one generator, side by side."""
    for start in range(0, len(metrics), CHARTS_PER_ROW):
        columns = st.columns(CHARTS_PER_ROW, gap="medium")
        for column, metric in zip(columns, metrics[start:], strict=False):
            rows_of_metric = [row for row in rows if row.metric == metric]
            with column:
                heading = metric_heading(metric, rows_of_metric)
                markup.show(Markup("<div class='mp-chart'>{}</div>").format(heading))
                label = metric_labels.metric_label(metric)
                st.altair_chart(
                    guidance_chart(rows_of_metric),
                    alt=f"{label} of {rows[0].generator}, by guidance",
                )


def guidance_chart(rows: Sequence[queries.GenerationSummary]) -> alt.LayerChart:
    """Return a chart of one metric by guidance: for each mode, a dot and the 95% interval.

    Modes are distinguished by colour and shape. Modes with the same guidance are side by side.
    """
    data = pd.DataFrame([asdict(row) for row in rows])
    base = alt.Chart(data).encode(
        x=alt.X("guidance:O", title="guidance", axis=alt.Axis(labelAngle=0, format="~g")),
        xOffset=alt.XOffset("mode:N", sort=list(data["mode"])),
        tooltip=tooltips("mode", "guidance", "mean", "low", "high", "sd", "n"),
    )
    scale = alt.Scale(zero=False)
    intervals = base.mark_rule(strokeWidth=2, color=GREY).encode(
        y=alt.Y("low:Q", title=None, scale=scale), y2=alt.Y2("high:Q")
    )
    legend = alt.Legend(title=None, orient="bottom")
    dots = base.mark_point(size=90, filled=True, opacity=1).encode(
        y=alt.Y("mean:Q", title=None, scale=scale, axis=alt.Axis(tickCount=4)),
        color=alt.Color("mode:N", sort=list(data["mode"]), legend=legend),
        shape=alt.Shape("mode:N", sort=list(data["mode"]), legend=legend),
    )
    return alt.LayerChart(layer=[*interval_layers(data, intervals), dots], height=CHART_PIXELS)


def trade_off(rows: Sequence[queries.GenerationSummary]) -> None:
    """Draw the similarity to the target against the similarity to the caption, by guidance."""
    means = {
        (row.generator, row.mode, row.guidance, row.metric): row.mean
        for row in rows
        if row.metric in (TEXT_METRIC, TARGET_METRIC) and row.mean is not None
    }
    points = [
        {
            "generator": generator,
            "mode": mode,
            "guidance": guidance,
            "label": mode_with_guidance(mode, guidance),
            "x": means[generator, mode, guidance, TEXT_METRIC],
            "y": means[generator, mode, guidance, TARGET_METRIC],
        }
        for generator, mode, guidance in dict.fromkeys(key[:3] for key in means)
        if {(generator, mode, guidance, metric) for metric in (TEXT_METRIC, TARGET_METRIC)}
        <= means.keys()
    ]
    if not points:
        return
    st.subheader("What does guidance gain, and what does it cost?", anchor=False)
    st.caption(
        "Each dot is one mode at one guidance value. The further right a dot is, the more similar "
        "the clips are to the caption; the higher it is, the more similar they are to the target."
    )
    chart = trade_off_chart(
        pd.DataFrame(points),
        x_title="CLAP similarity of caption and clip",
        y_title="CLAP similarity of target and clip",
    )
    st.altair_chart(
        chart, alt="Similarity to the target against similarity to the caption, by mode"
    )


def trade_off_chart(points: pd.DataFrame, *, x_title: str, y_title: str) -> alt.LayerChart:
    """Return a chart of two metrics, with one line per generator in order of guidance.

    `points` has the columns generator, mode, guidance, label, x and y.
    """
    scale = alt.Scale(zero=False, padding=20)
    base = alt.Chart(points).encode(
        x=alt.X("x:Q", title=x_title, scale=scale),
        y=alt.Y("y:Q", title=y_title, scale=scale),
        color=alt.Color("generator:N", legend=alt.Legend(title=None, orient="bottom")),
        tooltip=tooltips("generator", "mode", "guidance", "x", "y"),
    )
    line = base.mark_line(strokeWidth=1.5, opacity=0.6).encode(order=alt.Order("guidance:Q"))
    dots = base.mark_point(size=90, filled=True, opacity=1).encode(
        shape=alt.Shape("generator:N", legend=None)
    )
    names = base.mark_text(align="left", dx=9, dy=-6).encode(text=alt.Text("label:N"))
    return alt.LayerChart(layer=[line, dots, names], height=LINE_CHART_PIXELS)
