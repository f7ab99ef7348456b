"""Trends: how the summaries change from run to run as the library grows."""

from collections.abc import Sequence
from dataclasses import asdict

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.components import answer, metric_labels
from dashboard.components.charts import LINE_CHART_PIXELS, interval_layers
from dashboard.components.csv_download import download_button
from dashboard.components.link_values import accept_codes
from dashboard.components.plugin_labels import plugin_text
from dashboard.data import cached_queries
from mirpipe.db import queries
from mirpipe.db.queries.metric_names import NOT_SCORES
from mirpipe.db.queries.page_answers import trend_answer

TASKS = ("retrieval", "generation")
LEADING = ("z", "clap_similarity", "aligned_melody", "melody_accuracy")
"""Metrics that are listed before all others."""
AXES = {"run": "run", "references": "references in the library"}
"""Title of each horizontal axis that the viewer can choose."""


def section(key: cached_queries.RunKey, runs: Sequence[queries.PastRun]) -> None:
    """Draw the trend of one metric. The viewer chooses the task, the axis and the metric."""
    st.header("How did the results change from run to run?", anchor=False)
    st.caption(
        "Each dot is the mean in one run, with its 95% interval over the targets of that run. "
        "Cosines of different encoders cannot be compared, because each encoder has its own space."
    )
    left, middle, right = st.columns([1.2, 1.6, 2.2], vertical_alignment="bottom")
    with left:
        chosen_task = st.segmented_control(
            "Results of", TASKS, default="retrieval", key="of", bind="query-params", required=True
        )
    run_ids = tuple(run.run_id for run in runs)
    rows = cached_queries.past_summaries(key, chosen_task or "retrieval", run_ids)
    rows = [row for row in rows if row.mean is not None]
    if not rows:
        st.info("No run has such results yet.", icon=":material/hourglass_empty:")
        st.code("mirpipe generate\nmirpipe run", language=None)
        return
    with middle:
        chosen_axis = st.segmented_control(
            "Horizontal axis",
            list(AXES),
            default="run",
            key="over",
            bind="query-params",
            required=True,
        )
    metrics = sorted({row.metric for row in rows} - NOT_SCORES, key=_metric_order)
    if st.session_state.get("metric") not in metrics:
        st.session_state.pop("metric", None)
    accept_codes("metric", metrics, metric_labels.metric_label)
    with right:
        metric = st.selectbox(
            "Metric",
            metrics,
            format_func=metric_labels.metric_label,
            key="metric",
            bind="query-params",
        )
    show_trend([row for row in rows if row.metric == metric], runs, metric, chosen_axis or "run")


def show_trend(
    rows: Sequence[queries.PastSummary],
    runs: Sequence[queries.PastRun],
    metric: str,
    axis: str,
) -> None:
    """Draw the trend of one metric, with one line per encoder or mode, and a download button."""
    run_of = {run.run_id: run for run in runs}
    points = pd.DataFrame(
        [
            {
                "name": plugin_text(row.subject, random=row.random),
                "run": row.run_id,
                "references": run_of[row.run_id].references,
                "targets": run_of[row.run_id].targets,
                "clips": run_of[row.run_id].clips,
                **{name: asdict(row)[name] for name in ("mean", "low", "high", "n", "revision")},
            }
            for row in rows
        ]
    )
    label = metric_labels.metric_label(metric)
    answer.show(trend_answer(rows, metric))
    chart = trend_chart(points, axis=axis, y_title=label)
    st.altair_chart(chart, alt=f"{label}, by {AXES[axis]}")
    if points["run"].nunique() < 2:
        st.caption("After the second run, a line connects the dots.")
    download_button(points, name=f"Trend of {label}")


def trend_chart(points: pd.DataFrame, *, axis: str, y_title: str) -> alt.LayerChart:
    """Return a chart with one line per encoder or mode, in the order of the runs.

    The lines differ in colour and in the shape of their dots.
    """
    order = list(dict.fromkeys(points["name"]))
    if axis == "run":
        x = alt.X("run:O", title="run", axis=alt.Axis(labelAngle=0, labelOverlap=True))
    else:
        integers = alt.Axis(format=",d", tickMinStep=1)
        scale = alt.Scale(zero=False)
        x = alt.X("references:Q", title=AXES[axis], scale=scale, axis=integers)
    scale = alt.Scale(zero=False)
    legend = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=300, symbolOpacity=1)
    columns = ["name", "run", "references", "targets", "clips", "mean", "low", "high", "n"]
    base = alt.Chart(points).encode(
        x=x, color=alt.Color("name:N", sort=order, legend=legend), tooltip=columns
    )
    intervals = base.mark_rule(strokeWidth=1.5, opacity=0.5).encode(
        y=alt.Y("low:Q", title=y_title, scale=scale), y2=alt.Y2("high:Q")
    )
    mean = alt.Y("mean:Q", title=y_title, scale=scale)
    line = base.mark_line(strokeWidth=1.5).encode(y=mean, order=alt.Order("run:Q"))
    dots = base.mark_point(size=70, filled=True, opacity=1).encode(
        y=mean, shape=alt.Shape("name:N", sort=order, legend=legend)
    )
    layers = [*interval_layers(points, intervals), line, dots]
    return alt.LayerChart(layer=layers, height=LINE_CHART_PIXELS)


def _metric_order(metric: str) -> tuple[int, str]:
    return (LEADING.index(metric) if metric in LEADING else len(LEADING), metric)
