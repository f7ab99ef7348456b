"""Summaries by the targets' genre or instrument, for encoders or for generation modes."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, metric_labels, tables
from dashboard.components.charts import AXIS_PIXELS, GREY, interval_layers, tooltips
from dashboard.components.csv_download import download_button
from dashboard.components.link_values import accept_codes
from dashboard.components.number_format import DASH
from dashboard.components.plugin_labels import plugin_text
from dashboard.components.statistics_cells import mean_cell
from dashboard.data import cached_queries
from mirpipe.db import queries
from mirpipe.db.queries.metric_names import NOT_SCORES

LABELS = ("genre", "instrument")
LEADING = (
    *("z", "clap_similarity", "aligned_melody"),
    *("melody_accuracy_corrected", "melody_accuracy"),
)
"""Metrics that are listed before all others."""
DOT_PIXELS = 16
MAX_GROUPS_IN_CHART = 40
"""Number of groups in the chart. It shows the largest groups; more would make it too tall."""


def section(run: cached_queries.RunKey, task: str) -> None:
    """Draw the section for the task "retrieval" or "generation".

    The viewer can choose the label and the metric.
    """
    st.header("Do the results depend on genre or instrument?", anchor=False)
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        label = st.segmented_control(
            "Group targets by",
            LABELS,
            default="genre",
            key="by",
            bind="query-params",
            required=True,
        )
    label = label or "genre"
    rows = [
        row
        for row in cached_queries.group_summaries(run, task, label)
        if row.metric not in NOT_SCORES
    ]
    metrics = sorted({row.metric for row in rows if row.mean is not None}, key=_metric_order)
    if not metrics:
        st.info(f"No target has the label {label}.", icon=":material/label:")
        st.markdown("To add labels, use a manifest with the columns path, genre and instrument:")
        st.code(
            "mirpipe ingest ~/music/targets --collection target --manifest labels.csv\nmirpipe run",
            language=None,
        )
        return
    if st.session_state.get("measure") not in metrics:
        st.session_state.pop("measure", None)
    accept_codes("measure", metrics, metric_labels.metric_label)
    with right:
        metric = st.selectbox(
            "Metric",
            metrics,
            format_func=metric_labels.metric_label,
            key="measure",
            bind="query-params",
        )
    show_metric(metric, label, task, [row for row in rows if row.metric == metric])
    download_button(rows, name=f"{task.capitalize()} by {label}")


def show_metric(metric: str, label: str, task: str, rows: Sequence[queries.GroupSummary]) -> None:
    """Draw the chart and the table for one metric. `rows` must not be empty."""
    name = metric_labels.metric_label(metric)
    unlabelled = max(row.unlabelled_n for row in rows)
    left_out = f" Targets with no {label} are left out: {unlabelled:,}." if unlabelled else ""
    if label == "genre":
        left_out += " A target with several genres counts in the group of each of them."
    st.caption(
        f"Mean of {name} per {label}, its 95% interval over the group's targets, and the number "
        "of targets (n). Small groups allow no conclusion: a group with fewer than 5 targets has "
        "no interval and no test. A larger group is compared with all other targets (Mann and "
        "Whitney's test, p corrected for all groups). This is exploratory and establishes nothing."
        f"{left_out}"
    )
    defined = [row for row in rows if row.mean is not None]
    largest = groups_by_size(defined)[:MAX_GROUPS_IN_CHART]
    shown = [row for row in defined if row.value in largest]
    chart = group_chart(shown, largest, axis=f"mean {name}")
    st.altair_chart(chart, alt=f"{name}, by {label}")
    subjects = {row.subject: plugin_text(row.subject, random=row.random) for row in rows}
    row_of = {(row.value, row.subject): row for row in rows}
    lines = [
        [markup.title(group), *(_cell(row_of.get((group, subject))) for subject in subjects)]
        for group in groups_by_size(rows)
    ]
    columns = [label, *subjects.values()]
    with st.expander(f"All groups ({len(lines):,})"):
        table_name = f"{task.capitalize()} by {label}"
        numeric = range(1, len(columns))
        markup.show(tables.html_table(table_name, columns, lines, numeric=numeric))


def groups_by_size(rows: Sequence[queries.GroupSummary]) -> list[str]:
    """Return the groups, sorted by their number of targets, largest first."""
    size: dict[str, int] = {}
    for row in rows:
        size[row.value] = max(size.get(row.value, 0), row.n)
    return sorted(size, key=lambda group: (-size[group], group))


def group_chart(
    rows: Sequence[queries.GroupSummary], groups: Sequence[str], *, axis: str
) -> alt.LayerChart:
    """Return a chart with one row per group and one dot per encoder or mode, with intervals.

    `axis` is the title of the axis of the means. Encoders and modes are distinguished by colour and
    by shape.
    """
    data = pd.DataFrame(
        [
            {
                "group": row.value,
                "name": plugin_text(row.subject, random=row.random),
                **{"mean": row.mean, "low": row.low, "high": row.high, "n": row.n},
            }
            for row in rows
        ]
    )
    names = list(dict.fromkeys(data["name"]))
    labels = alt.Axis(labelLimit=120, labelOverlap=False, ticks=False)
    base = alt.Chart(data).encode(
        y=alt.Y("group:N", title=None, axis=labels, scale=alt.Scale(domain=list(groups))),
        yOffset=alt.YOffset("name:N", scale=alt.Scale(domain=names)),
        tooltip=tooltips("group", "name", "mean", "low", "high", "n"),
    )
    scale = alt.Scale(zero=False)
    intervals = base.mark_rule(strokeWidth=2, color=GREY).encode(
        x=alt.X("low:Q", title=axis, scale=scale), x2=alt.X2("high:Q")
    )
    legend = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=300)
    dots = base.mark_point(size=70, filled=True, opacity=1).encode(
        x=alt.X("mean:Q", title=axis, scale=scale, axis=alt.Axis(tickCount=5)),
        color=alt.Color("name:N", sort=names, legend=legend),
        shape=alt.Shape("name:N", sort=names, legend=legend),
    )
    height = DOT_PIXELS * len(groups) * (len(names) + 1) + 2 * AXIS_PIXELS
    return alt.LayerChart(layer=[*interval_layers(data, intervals), dots], height=height)


def _metric_order(metric: str) -> tuple[int, str]:
    return (LEADING.index(metric) if metric in LEADING else len(LEADING), metric)


def _cell(row: queries.GroupSummary | None) -> Markup:
    if row is None:
        return Markup(DASH)
    cell = mean_cell(row, metric_labels.decimals(row.metric))
    if row.p_adjusted is None:
        return cell
    return cell + markup.small_line(f"against the others: p = {row.p_adjusted:.3f}")
