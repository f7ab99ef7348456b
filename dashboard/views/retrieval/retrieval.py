"""Retrieval: how good each encoder's answers are, on the whole and target by target."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import pandas as pd
import streamlit as st

from dashboard.components import (
    aesthetics_rating,
    charts,
    empty_states,
    group_summaries,
    heatmap,
    metric_labels,
    tables,
)
from dashboard.components.heatmap import Cell
from dashboard.components.target_picker import labelled
from dashboard.data import cached_queries
from dashboard.views.retrieval import encoder_summary
from mirpipe.db import queries
from mirpipe.db.queries import encoder_comparison

SCALES = {
    "z": ("z", 2, "z, sd above the library's mean"),
    "percentile": ("percentile", 1, "percentile of the library's pairs"),
    "cosine": ("cosine", 3, "cosine, each in its own space"),
}
"""Ways to say how near an answer is: field, decimals, and the axis's title."""


def by_rank(rows: Sequence[encoder_comparison.Depth], scale: str) -> None:
    """How similarity falls from answer to answer."""
    field, _, axis = SCALES[scale]
    st.subheader("How fast does likeness fall?", anchor=False)
    st.caption("The mean over all targets' answers of a rank.")
    points = pd.DataFrame([asdict(row) for row in rows])[["encoder", "rank", field, "n"]]
    chart = charts.curves(points, x="rank", y=field, series="encoder", across="rank", up=axis)
    st.altair_chart(chart, alt=f"{axis}, by rank and encoder")
    tables.download(list(rows), name="Likeness by rank")


def maps(
    rows: Sequence[encoder_comparison.TargetMatch], targets: Sequence[queries.Target], scale: str
) -> None:
    """Encoder by target: the answer's likeness, its CLAP similarity and its melody accuracy."""
    st.subheader("Target by target", anchor=False)
    st.caption(
        "The first answer of each encoder for each target; point at a cell to read which track it "
        f"is. {heatmap.LEGEND}"
    )
    names = labelled(targets)
    answered = {row.target_id for row in rows}
    columns = heatmap.window([names[i] for i in names if i in answered], key="page")
    encoders = list(dict.fromkeys(row.encoder for row in rows))
    field, decimals, axis = SCALES[scale]
    rows = [replace(row, melody_accuracy=None) if row.melodic is False else row for row in rows]
    for attribute, title, places in (
        (field, f"Retrieval similarity: {axis}", decimals),
        ("clap_similarity", "CLAP similarity of target and answer", 3),
        ("melody_accuracy", "Melody accuracy of target and answer, by chance about 0.085", 3),
    ):
        cells = [
            Cell(row.encoder, names[row.target_id], getattr(row, attribute), row.reference)
            for row in rows
            if row.target_id in names
        ]
        heatmap.show(cells, rows=encoders, columns=columns, title=title, decimals=places)


def per_target(rows: Sequence[encoder_comparison.TargetMatch]) -> None:
    """Everything about every first answer."""
    st.subheader("Every first answer", anchor=False)
    data = pd.DataFrame([asdict(row) for row in rows])
    data = data.drop(columns=["target_id", "reference_id"]).dropna(axis="columns", how="all")
    number = st.column_config.NumberColumn
    tables.frame(
        data,
        name="First answers",
        columns={
            "reference": "first answer",
            **{
                name: number(metric_labels.of_one(name), format="%.3f")
                for name in data.columns
                if data[name].dtype == float
            },
            "melodic": "both pitched",
            "melody_corrected": number("beyond chance", format="%.3f"),
            **{axis.lower(): number(axis, format="%.2f") for axis in ("CE", "CU", "PC", "PQ")},
        },
    )
    if {"ce", "cu", "pc", "pq"} & set(data.columns):
        st.caption(
            f"CE, CU, PC, PQ: content enjoyment and usefulness, production complexity and quality "
            f"of the answer, 1 to 10, as {aesthetics_rating.MODEL} predicts it."
        )


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Retrieval", anchor=False)
    run = queries.latest_run()
    if run is None:
        if cached_queries.library():
            empty_states.results()
        else:
            empty_states.library()
        return
    key = cached_queries.key(run)
    targets = cached_queries.targets(key)
    if not targets:
        empty_states.targets()
        return
    rows = cached_queries.summary(key)
    answered = cached_queries.target_matches(key)
    if not rows or not answered:
        empty_states.answers()
        return
    encoder_summary.results(run, rows)
    scale = st.segmented_control(
        "Likeness as",
        list(SCALES),
        default="z",
        key="likeness",
        bind="query-params",
        required=True,
        help="z and percentile can be compared between encoders, a cosine cannot.",
    )
    by_rank(cached_queries.depths(key), scale or "z")
    maps(answered, targets, scale or "z")
    group_summaries.section(key, "retrieval")
    per_target(answered)


main()
