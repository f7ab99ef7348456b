"""How every summary moved from run to run, as the library grew."""

# ruff: noqa: ARG001  (Streamlit keys what it keeps by arguments, also by one that is not read)
from collections.abc import Sequence
from dataclasses import asdict

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.components import markup, metric_labels, tables
from dashboard.components.charts import CURVE_PIXELS, present
from dashboard.data import cached_queries
from mirpipe.db.queries import run_history
from mirpipe.db.queries.metric_names import BOUNDS

READS = {"retrieval": run_history.retrieval, "generation": run_history.generation}
FIRST = ("z", "clap_similarity", "melody_accuracy")
OVER = {"run": "run", "references": "references in the library"}


@st.cache_data(max_entries=4, show_spinner=False)
def past(run: cached_queries.Key, kind: str, runs: tuple[int, ...]) -> list[run_history.Past]:
    """The summaries of these runs, of encoders or of modes."""
    return READS[kind](list(runs))


def section(key: cached_queries.Key, moments: Sequence[run_history.Moment]) -> None:
    """A summary's way, chosen by what it is about and by metric."""
    st.subheader("How did the summaries move?", anchor=False)
    of, over, which = st.columns([1.2, 1.6, 2.2], vertical_alignment="bottom")
    with of:
        kind = st.segmented_control(
            "Of", list(READS), default="retrieval", key="of", bind="query-params", required=True
        )
    runs = tuple(one.run_id for one in moments)
    rows = [row for row in past(key, kind or "retrieval", runs) if row.mean is not None]
    if not rows:
        st.info("No run has a number of this yet.", icon=":material/hourglass_empty:")
        st.code("mirpipe generate\nmirpipe run", language=None)
        return
    with over:
        axis = st.segmented_control(
            "Over",
            list(OVER),
            default="run",
            key="over",
            bind="query-params",
            required=True,
        )
    metrics = sorted({row.metric for row in rows} - BOUNDS, key=lambda one: (rank(one), one))
    if st.session_state.get("metric") not in metrics:
        st.session_state.pop("metric", None)
    with which:
        chosen = st.selectbox(
            "Metric", metrics, format_func=metric_labels.named, key="metric", bind="query-params"
        )
    draw([row for row in rows if row.metric == chosen], moments, chosen, axis or "run")


def rank(name: str) -> int:
    """What is asked for most comes first."""
    return FIRST.index(name) if name in FIRST else len(FIRST)


def draw(
    rows: Sequence[run_history.Past], moments: Sequence[run_history.Moment], chosen: str, axis: str
) -> None:
    """One metric's line a subject, and its numbers to take along."""
    sizes = {one.run_id: one for one in moments}
    points = pd.DataFrame(
        [
            {
                "of": f"{row.subject} ({markup.RANDOM})" if row.random else row.subject,
                "run": row.run_id,
                "references": sizes[row.run_id].references,
                "targets": sizes[row.run_id].targets,
                "clips": sizes[row.run_id].clips,
                **{name: asdict(row)[name] for name in ("mean", "low", "high", "n", "revision")},
            }
            for row in rows
        ]
    )
    name = metric_labels.named(chosen)
    st.altair_chart(trend(points, across=axis, up=name), alt=f"{name}, by {OVER[axis]}")
    st.caption(
        "Each dot is a run's mean on the line of its 95 % interval over the targets of that time. "
        "A cosine lies in its encoder's own space and cannot be compared between encoders."
    )
    if points["run"].nunique() < 2:
        st.caption("From the second run on, a line shows where it went.")
    tables.download(points, name=f"Trend of {name}")


def trend(points: pd.DataFrame, *, across: str, up: str) -> alt.LayerChart:
    """A line with dots a subject, which differ in shape, too; in the order of the runs."""
    order = list(dict.fromkeys(points["of"]))
    if across == "run":
        x = alt.X("run:O", title="run", axis=alt.Axis(labelAngle=0, labelOverlap=True))
    else:
        whole = alt.Axis(format=",d", tickMinStep=1)
        x = alt.X("references:Q", title=OVER[across], scale=alt.Scale(zero=False), axis=whole)
    scale = alt.Scale(zero=False)
    legend = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=300, symbolOpacity=1)
    columns = ["of", "run", "references", "targets", "clips", "mean", "low", "high", "n"]
    base = alt.Chart(points).encode(
        x=x, color=alt.Color("of:N", sort=order, legend=legend), tooltip=columns
    )
    spread = base.mark_rule(strokeWidth=1.5, opacity=0.5).encode(
        y=alt.Y("low:Q", title=up, scale=scale), y2="high:Q"
    )
    mean = alt.Y("mean:Q", title=up, scale=scale)
    line = base.mark_line(strokeWidth=1.5).encode(y=mean, order="run:Q")
    dots = base.mark_point(size=70, filled=True, opacity=1).encode(
        y=mean, shape=alt.Shape("of:N", sort=order, legend=legend)
    )
    return alt.LayerChart(layer=[*present(points, spread), line, dots], height=CURVE_PIXELS)
