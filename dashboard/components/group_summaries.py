"""Summaries by genre or instrument of the targets: of the encoders' answers, or of the clips."""

# ruff: noqa: ARG001  (Streamlit keys what it keeps by arguments, also by one that is not read)
from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, metric_labels, tables
from dashboard.components.charts import AXIS_PIXELS, GREY, present
from dashboard.data import cached_queries
from mirpipe.db.queries import group_summaries
from mirpipe.db.queries.group_summaries import GroupSummary
from mirpipe.db.queries.metric_names import BOUNDS

LABELS = ("genre", "instrument")
READS = {"retrieval": group_summaries.retrieval_by, "generation": group_summaries.generation_by}
FIRST = ("z", "clap_similarity", "melody_accuracy_corrected", "melody_accuracy")
DOT_PIXELS, MOST_DRAWN = 16, 40
"""Height of a dot's line; groups that a chart has room for, the largest."""


@st.cache_data(max_entries=16, show_spinner=False)
def by(run: cached_queries.Key, kind: str, label: str) -> list[GroupSummary]:
    """The latest run's summaries by this label."""
    return READS[kind](label)


def section(key: cached_queries.Key, kind: str) -> None:
    """One metric by group and encoder, or by group and mode; as the viewer chooses."""
    st.subheader("By genre and instrument", anchor=False)
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        label = st.segmented_control(
            "Targets by", LABELS, default="genre", key="by", bind="query-params", required=True
        )
    rows = [row for row in by(key, kind, label or "genre") if row.metric not in BOUNDS]
    metrics = sorted({row.metric for row in rows if row.mean is not None}, key=place)
    if not metrics:
        st.info("No target has a label of this kind.", icon=":material/label:")
        st.markdown("Labels come from a manifest with the columns path, genre, instrument:")
        st.code(
            "mirpipe ingest ~/music/targets --collection target --manifest labels.csv\nmirpipe run",
            language=None,
        )
        return
    if st.session_state.get("measure") not in metrics:
        st.session_state.pop("measure", None)
    with right:
        chosen = st.selectbox(
            "Metric", metrics, format_func=metric_labels.named, key="measure", bind="query-params"
        )
    shown = [row for row in rows if row.metric == chosen]
    unlabelled = max(row.unlabelled_n for row in shown)
    left_out = f" {unlabelled:,} targets carry no {label} and are left out." if unlabelled else ""
    st.caption(
        f"Mean of {metric_labels.named(chosen)}, its 95 % interval over the group's targets, and "
        f"n. A group of few targets says little; one alone has no interval.{left_out}"
    )
    names = {row.subject: random(row) for row in shown}
    defined = [row for row in shown if row.mean is not None]
    drawn = sizes(defined)[:MOST_DRAWN]
    chart = dots([row for row in defined if row.value in drawn], drawn)
    st.altair_chart(chart, alt=f"{metric_labels.named(chosen)}, by {label}")
    found = {(row.value, row.subject): row for row in shown}
    lines = [
        [markup.title(value), *(cell(found.get((value, one)), chosen) for one in names)]
        for value in sizes(shown)
    ]
    title = f"{kind.capitalize()} by {label}"
    heads = [label or "genre", *names.values()]
    with st.expander(f"All {len(lines):,} groups"):
        markup.show(markup.table(title, heads, lines, numeric=range(1, len(heads))))
    tables.download(rows, name=title)


def place(name: str) -> tuple[int, str]:
    """What is asked for most comes first."""
    return (FIRST.index(name) if name in FIRST else len(FIRST), name)


def random(row: GroupSummary) -> str:
    """Whose numbers they are, marked where weights are random."""
    return f"{row.subject} ({markup.RANDOM})" if row.random else row.subject


def sizes(rows: Sequence[GroupSummary]) -> list[str]:
    """The groups, those of most targets first."""
    n: dict[str, int] = {}
    for row in rows:
        n[row.value] = max(n.get(row.value, 0), row.n)
    return sorted(n, key=lambda value: (-n[value], value))


def cell(row: GroupSummary | None, name: str) -> Markup:
    """A mean above its interval and n."""
    return (
        Markup(markup.DASH) if row is None else markup.averaged(row, metric_labels.decimals(name))
    )


def dots(rows: Sequence[GroupSummary], order: Sequence[str]) -> alt.LayerChart:
    """A line a group; on it a dot a subject, which differ in shape, too, with its interval."""
    data = pd.DataFrame(
        [
            {
                "group": row.value,
                "of": random(row),
                **{"mean": row.mean, "low": row.low, "high": row.high, "n": row.n},
            }
            for row in rows
        ]
    )
    subjects = list(dict.fromkeys(data["of"]))
    axis = alt.Axis(labelLimit=120, labelOverlap=False, ticks=False)
    base = alt.Chart(data).encode(
        y=alt.Y("group:N", title=None, axis=axis, scale=alt.Scale(domain=list(order))),
        yOffset=alt.YOffset("of:N", scale=alt.Scale(domain=subjects)),
        tooltip=["group", "of", "mean", "low", "high", "n"],
    )
    scale = alt.Scale(zero=False)
    spread = base.mark_rule(strokeWidth=2, color=GREY).encode(
        x=alt.X("low:Q", title=None, scale=scale), x2="high:Q"
    )
    legend = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=300)
    marks = base.mark_point(size=70, filled=True, opacity=1).encode(
        x=alt.X("mean:Q", title=None, scale=scale, axis=alt.Axis(tickCount=5)),
        color=alt.Color("of:N", sort=subjects, legend=legend),
        shape=alt.Shape("of:N", sort=subjects, legend=legend),
    )
    height = DOT_PIXELS * len(order) * (len(subjects) + 1) + 2 * AXIS_PIXELS
    return alt.LayerChart(layer=[*present(data, spread), marks], height=height)
