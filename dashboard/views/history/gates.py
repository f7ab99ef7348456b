"""Gates over time: the verdict of each rule on each run, and what the rules measured last."""

from collections.abc import Sequence
from dataclasses import asdict

import altair as alt
import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import answer, markup, tables
from dashboard.components.charts import AXIS_PIXELS, GREY, ROW_PIXELS, tooltips
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import format_local_time
from dashboard.data import current_state
from mirpipe.db.queries.gate_history import MAX_JUDGEMENTS, GateVerdict, gate_verdicts, limit_text
from mirpipe.db.queries.page_answers import gate_answer

SIGNS = {"passed": "✓ passed", "failed": "✗ failed", "undecided": "? undecided"}
"""Text of each verdict, so that nobody has to tell colours apart."""
SHAPES = {"passed": "circle", "failed": "cross", "undecided": "triangle-up"}
LEGEND_PIXELS = 50
EXAMPLE = """\
rules:
  - name: results of the last two days
    check: age
    at_most_hours: 48
  - name: no pending work
    check: pending
"""
COLOURS = {"passed": "#2f9e6e", "failed": "#d9480f", "undecided": GREY}
"""Colours that are visible on white and on near-black backgrounds."""


def section() -> None:
    """Draw the verdicts of the chosen gate, or how to write a gate if there is none."""
    st.header("Did the runs pass their gates?", anchor=False)
    verdicts = current_state.read(gate_verdicts)
    if not verdicts:
        st.info("No run was judged by a gate yet.", icon=":material/rule:")
        st.markdown("A gate is a file with rules about the results, such as `fresh.yml`:")
        st.code(EXAMPLE, language="yaml")
        st.markdown("To judge the latest run:")
        st.code("mirpipe gate fresh.yml", language=None)
        return
    gates = list(dict.fromkeys(each.gate for each in verdicts))
    if st.session_state.get("gate") not in gates:
        st.session_state.pop("gate", None)
    gate = st.selectbox("Gate", gates, key="gate", bind="query-params")
    rows = [each for each in verdicts if each.gate == gate]
    latest = [each for each in rows if each.judged == rows[-1].judged]
    answer.show(gate_answer(latest))
    st.altair_chart(verdict_chart(rows), alt=f"Verdicts of the gate {gate} by rule and run")
    st.caption(
        "Each mark is the verdict of one rule on one run: a circle has passed, a cross has failed, "
        "and a triangle is undecided. If a verdict has changed before a new run was published, "
        "because work is pending or the results are old, the run has more marks: 12.2 is the "
        f"second judgement of run 12. The chart shows up to {MAX_JUDGEMENTS} judgements."
    )
    st.subheader(
        f"Run {latest[0].run_id} · {format_local_time(latest[0].finished_at)}", anchor=False
    )
    markup.show(verdict_table(latest))
    download_button(pd.DataFrame([asdict(each) for each in rows]), name=f"Gate {gate}")


def verdict_chart(rows: Sequence[GateVerdict]) -> alt.Chart:
    """Return a chart with one row per rule and one column per judgement of a run.

    The marks of the verdicts differ in colour and in shape.
    """
    data = pd.DataFrame([asdict(each) | {"run": each.judged} for each in rows])[
        ["run", "judged_at", "rule", "verdict", "value", "low", "high", "detail"]
    ]
    judged = list(dict.fromkeys(data["run"]))
    rules = list(dict.fromkeys(data["rule"]))
    names = list(SIGNS)
    legend = alt.Legend(title=None, orient="bottom", symbolOpacity=1)
    chart: alt.Chart = (
        alt.Chart(data, height=ROW_PIXELS * len(rules) + AXIS_PIXELS + LEGEND_PIXELS)
        .mark_point(size=110, filled=True, opacity=1)
        .encode(
            x=alt.X(
                "run:O", sort=judged, title="run", axis=alt.Axis(labelAngle=0, labelOverlap=True)
            ),
            y=alt.Y("rule:N", sort=rules, title=None, axis=alt.Axis(labelLimit=220, ticks=False)),
            color=alt.Color(
                "verdict:N",
                scale=alt.Scale(domain=names, range=list(COLOURS.values())),
                legend=legend,
            ),
            shape=alt.Shape(
                "verdict:N",
                scale=alt.Scale(domain=names, range=list(SHAPES.values())),
                legend=legend,
            ),
            tooltip=tooltips(*data.columns),
        )
    )
    return chart


def verdict_table(rows: Sequence[GateVerdict]) -> Markup:
    """Return a table with the verdict, the limits and the measured value of each rule."""
    cells = []
    for row in rows:
        cells.append(
            [
                markup.no_wrap(SIGNS[row.verdict]),
                markup.any_direction(row.rule),
                markup.no_wrap(limit_text(row.at_least, row.at_most)),
                markup.wide(markup.any_direction(row.detail)),
            ]
        )
    return tables.html_table(
        "Verdicts on the latest judged run", ["verdict", "rule", "limit", "measured"], cells
    )
