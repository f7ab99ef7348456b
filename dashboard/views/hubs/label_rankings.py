"""Label rankings: how high each encoder ranks references that have the same label as the query."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.components import markup, tables
from dashboard.components.charts import AXIS_PIXELS, GREY, ROW_PIXELS, interval_layers, tooltips
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import DASH
from dashboard.components.plugin_labels import plugin_cell
from dashboard.views.hubs import filtered_label_rankings
from dashboard.views.hubs.filtered_label_rankings import mean_with_interval
from dashboard.views.hubs.ranking_methods import METHOD_NAMES, METRIC_NAMES
from mirpipe.db import queries

METRICS_WITH_CHART = ("p_at_1", "mrr", "map")
LABELS = ("genre", "instrument", "work")
"""Labels that are listed first. Other labels follow."""
_RULE_OF_SETS = {"genre": " (one common genre is enough)"}


def section(
    rows: Sequence[queries.LabelRanking],
    filtered_rows: Sequence[queries.LabelRanking],
    query_kind: str,
) -> None:
    """Draw the ranking metrics for a label that the viewer chooses, and those with filters."""
    st.header("Do matches have the same label as the query?", anchor=False)
    rows_of_kind = [row for row in rows if row.queries == query_kind and row.n]
    labels = list(dict.fromkeys(row.label for row in rows_of_kind))
    if not labels:
        st.info("No query has the same label as a reference.", icon=":material/label:")
        st.markdown(
            "To add labels, use a manifest with the columns path, genre, instrument and work:"
        )
        st.code(
            "mirpipe ingest ~/music/library --collection reference --manifest labels.csv\n"
            "mirpipe run",
            language=None,
        )
        return
    labels.sort(key=lambda label: LABELS.index(label) if label in LABELS else len(LABELS))
    if st.session_state.get("label") not in labels:
        st.session_state.pop("label", None)
    chosen = st.segmented_control(
        "Label", labels, default=labels[0], key="label", bind="query-params", required=True
    )
    label = chosen or labels[0]
    shown = [row for row in rows_of_kind if row.label == label]
    explain(shown[0])
    ranking_table(shown)
    encoders = list(dict.fromkeys(row.encoder for row in shown))
    methods = list(dict.fromkeys(METHOD_NAMES.get(row.rerank, row.rerank) for row in shown))
    columns = st.columns(len(METRICS_WITH_CHART), gap="medium")
    for column, metric in zip(columns, METRICS_WITH_CHART, strict=True):
        rows_of_metric = [row for row in shown if row.metric == metric]
        if rows_of_metric:
            with column:
                name = METRIC_NAMES[metric]
                st.subheader(name, anchor=False)
                chart = ranking_chart(rows_of_metric, encoders, methods)
                st.altair_chart(chart, alt=f"{name}, by encoder")
    filtered = [
        row for row in filtered_rows if row.queries == query_kind and row.label == label and row.n
    ]
    filtered_label_rankings.part(shown, filtered)


def explain(row: queries.LabelRanking) -> None:
    """Explain the metrics, and state how many queries they are based on."""
    st.caption(
        f"A reference is relevant if it has the same {row.label} as the query"
        f"{_RULE_OF_SETS.get(row.label, '')}. P@k is the share of "
        "relevant references among the first k. MRR is the mean of 1 / rank of the first relevant "
        "reference. mAP is the mean average precision of the full ranking. All metrics range from "
        f"0 to 1 and have a 95% interval. Fusion combines the rankings by all encoders. Number of "
        f"queries: {row.n:,}. Queries that are left out because they have no label or no relevant "
        f"reference: {row.left_out_n:,}. References that are left out because they are the same "
        f"recording as the query: {row.same_recording_n:,}."
    )


def ranking_table(rows: Sequence[queries.LabelRanking]) -> None:
    """Draw a table with one row per encoder and ranking method, and one column per metric."""
    row_of = {(row.encoder, row.rerank, row.metric): row for row in rows}
    random = {row.encoder for row in rows if row.random}
    licences = {row.encoder: row.licence_weights or DASH for row in rows}
    lines = []
    for encoder, rerank in dict.fromkeys((row.encoder, row.rerank) for row in rows):
        cells = [
            mean_with_interval(row_of.get((encoder, rerank, metric))) for metric in METRIC_NAMES
        ]
        method = markup.no_wrap(METHOD_NAMES.get(rerank, rerank))
        label = plugin_cell(encoder, random=encoder in random)
        lines.append([label, method, *cells, licences[encoder]])
    columns = ["encoder", "ranked by", *METRIC_NAMES.values(), "licence of weights"]
    name = "Rankings by label"
    numeric = range(2, len(METRIC_NAMES) + 2)
    markup.show(tables.html_table(name, columns, lines, numeric=numeric))
    download_button(rows, name=name)


def ranking_chart(
    rows: Sequence[queries.LabelRanking], encoders: Sequence[str], methods: Sequence[str]
) -> alt.LayerChart:
    """Return a chart with a dot for each mean and a line for its 95% interval.

    Encoders and methods without a value are shown as empty rows. Ranking methods differ in colour
    and in shape.
    """
    data = pd.DataFrame(
        [
            {
                "encoder": row.encoder,
                "ranked by": METHOD_NAMES.get(row.rerank, row.rerank),
                **{"mean": row.mean, "low": row.low, "high": row.high, "n": row.n},
            }
            for row in rows
        ]
    )
    legend = alt.Legend(title=None, orient="bottom", columns=2)
    axis = alt.Axis(labelLimit=110, labelOverlap=False, ticks=False)
    method_scale = alt.Scale(domain=list(methods))
    base = alt.Chart(data).encode(
        y=alt.Y("encoder:N", title=None, axis=axis, scale=alt.Scale(domain=list(encoders))),
        yOffset=alt.YOffset("ranked by:N", scale=method_scale),
        tooltip=tooltips("encoder", "ranked by", "mean", "low", "high", "n"),
    )
    scale = alt.Scale(domain=[0, 1])
    intervals = base.mark_rule(strokeWidth=2, color=GREY).encode(
        x=alt.X("low:Q", title=None, scale=scale), x2=alt.X2("high:Q")
    )
    dots = base.mark_point(size=80, filled=True, opacity=1).encode(
        x=alt.X("mean:Q", title=None, scale=scale, axis=alt.Axis(tickCount=4)),
        color=alt.Color("ranked by:N", scale=method_scale, legend=legend),
        shape=alt.Shape("ranked by:N", scale=method_scale, legend=legend),
    )
    height = 2 * ROW_PIXELS * len(encoders) + AXIS_PIXELS
    return alt.LayerChart(layer=[*interval_layers(data, intervals), dots], height=height)
