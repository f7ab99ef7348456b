"""Rankings: how well each encoder ranks what shares a label with the query."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.charts import AXIS_PIXELS, GREY, ROW_PIXELS, present
from dashboard.views.hubs.hubness import WAYS, named
from mirpipe.db import queries as reports

NAMES = {"p_at_1": "P@1", "p_at_5": "P@5", "p_at_10": "P@10", "mrr": "MRR", "map": "mAP"}
DRAWN = ("p_at_1", "mrr", "map")
LABELS = ("genre", "instrument", "work")
BY = {**WAYS, "fusion": "all together"}


def section(rows: Sequence[reports.Ranking], queries: str) -> None:
    """The measures of one label, as the viewer chooses it."""
    st.subheader("Do answers share the query's label?", anchor=False)
    of_queries = [row for row in rows if row.queries == queries and row.n]
    labels = list(dict.fromkeys(row.label for row in of_queries))
    if not labels:
        st.info("No query shares a label with a reference.", icon=":material/label:")
        st.markdown("Labels come from a manifest with the columns path, genre, instrument, work:")
        st.code(
            "mirpipe ingest ~/music/library --collection reference --manifest labels.csv\n"
            "mirpipe run",
            language=None,
        )
        return
    labels.sort(key=lambda one: LABELS.index(one) if one in LABELS else len(LABELS))
    if st.session_state.get("label") not in labels:
        st.session_state.pop("label", None)
    label = st.segmented_control(
        "Label", labels, default=labels[0], key="label", bind="query-params", required=True
    )
    chosen = [row for row in of_queries if row.label == (label or labels[0])]
    first = chosen[0]
    st.caption(
        f"A reference with the query's own {first.label} is relevant. P@k: share of relevant ones "
        "among the first k; MRR: one over the rank of the first; mAP: mean average precision of "
        f"the whole ranking; each 0 to 1 with its 95 % interval. Over {first.n:,} queries; "
        f"{first.left_out_n:,} without the label, or to which no reference is relevant, are left "
        "out. Fusion ranks by all encoders together."
    )
    table(chosen)
    encoders = list(dict.fromkeys(row.encoder for row in chosen))
    ways = list(dict.fromkeys(BY.get(row.rerank, row.rerank) for row in chosen))
    columns = st.columns(len(DRAWN), gap="medium")
    for column, metric in zip(columns, DRAWN, strict=True):
        drawn = [row for row in chosen if row.metric == metric]
        if drawn:
            with column:
                st.markdown(f"**{NAMES[metric]}**")
                st.altair_chart(chart(drawn, encoders, ways), alt=f"{NAMES[metric]}, by encoder")


def table(rows: Sequence[reports.Ranking]) -> None:
    """A line an encoder and way of ranking, a cell a measure."""
    found = {(row.encoder, row.rerank, row.metric): row for row in rows}
    random = {row.encoder for row in rows if row.random}
    licences = {row.encoder: row.licence_weights or markup.DASH for row in rows}
    lines = []
    for encoder, rerank in dict.fromkeys((row.encoder, row.rerank) for row in rows):
        cells = [cell(found.get((encoder, rerank, metric))) for metric in NAMES]
        who = named(encoder, random=encoder in random)
        lines.append([who, markup.together(BY.get(rerank, rerank)), *cells, licences[encoder]])
    heads = ["encoder", "ranked by", *NAMES.values(), "licence of weights"]
    name = "Rankings by label"
    markup.show(markup.table(name, heads, lines, numeric=range(2, len(NAMES) + 2)))
    tables.download(rows, name=name)


def cell(row: reports.Ranking | None) -> Markup:
    """A mean above its interval."""
    if row is None:
        return Markup(markup.DASH)
    return Markup(markup.number(row.mean, 3)) + markup.interval(row.low, row.high, 3)


def chart(
    rows: Sequence[reports.Ranking], order: Sequence[str], ways: Sequence[str]
) -> alt.LayerChart:
    """A dot at each mean on the line of its interval; ways of ranking differ in shape.

    `order`: the encoders, of which one without the measure keeps its place empty; `ways`: those
    of ranking, likewise.
    """
    data = pd.DataFrame(
        [
            {
                "encoder": row.encoder,
                "ranked by": BY.get(row.rerank, row.rerank),
                **{"mean": row.mean, "low": row.low, "high": row.high, "n": row.n},
            }
            for row in rows
        ]
    )
    legend = alt.Legend(title=None, orient="bottom", columns=2)
    axes = alt.Axis(labelLimit=110, labelOverlap=False, ticks=False)
    base = alt.Chart(data).encode(
        y=alt.Y("encoder:N", title=None, axis=axes, scale=alt.Scale(domain=list(order))),
        yOffset=alt.YOffset("ranked by:N", scale=alt.Scale(domain=list(ways))),
        tooltip=["encoder", "ranked by", "mean", "low", "high", "n"],
    )
    scale = alt.Scale(domain=[0, 1])
    spread = base.mark_rule(strokeWidth=2, color=GREY).encode(
        x=alt.X("low:Q", title=None, scale=scale), x2="high:Q"
    )
    dots = base.mark_point(size=80, filled=True, opacity=1).encode(
        x=alt.X("mean:Q", title=None, scale=scale, axis=alt.Axis(tickCount=4)),
        color=alt.Color("ranked by:N", scale=alt.Scale(domain=list(ways)), legend=legend),
        shape=alt.Shape("ranked by:N", scale=alt.Scale(domain=list(ways)), legend=legend),
    )
    height = 2 * ROW_PIXELS * len(order) + AXIS_PIXELS
    return alt.LayerChart(layer=[*present(data, spread), dots], height=height)
