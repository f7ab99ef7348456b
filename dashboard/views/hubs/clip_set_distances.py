"""Distances (KAD and FAD∞) between the set of a mode's clips and the reference library."""

from collections.abc import Sequence, Set

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, metric_labels, tables
from dashboard.components.csv_download import download_button
from dashboard.components.mode_names import mode_with_guidance
from dashboard.components.number_format import DASH, format_number
from dashboard.components.plugin_labels import plugin_cell
from mirpipe.db import queries

METRIC_NAMES = {"kad": "KAD", "fad_inf": "FAD∞"}
MIN_CLIPS = 50
"""Smallest number of clips with which a distance counts as a finding in the database."""


def section(rows: Sequence[queries.SetDistance], random: Set[str]) -> None:
    """Draw a table with one row per encoder, generator, mode and guidance.

    `random` contains the encoders with random weights. If a row of another encoder is marked as
    random, its generator has random weights.
    """
    st.header("How far is the set of clips from the library?", anchor=False)
    if not rows:
        st.info("No run has computed these distances yet.", icon=":material/hourglass_empty:")
        st.code("mirpipe generate\nmirpipe run", language=None)
        return
    findings = sum(row.is_finding for row in rows)
    st.markdown(f"{findings or 'None'} of the {len(rows):,} distances can be used as a finding.")
    st.caption(
        "KAD is the kernel audio distance. FAD∞ is the Fréchet audio distance, extrapolated to an "
        "infinite set. A distance of 0 means equal distributions. Compare only distances by the "
        f"same encoder. A distance is a finding (✓) if it is based on at least {MIN_CLIPS} clips. "
        "FAD∞ is not 0 for equal distributions if there are few clips: the bias is simulated from "
        "the references at the same number of clips, and only a distance above all simulated ones "
        "is a finding."
    )
    row_of = {(*_line(row), row.metric): row for row in rows}
    random_generators = {row.generator for row in rows if row.random and row.encoder not in random}
    lines = []
    for line in dict.fromkeys(_line(row) for row in rows):
        encoder, generator, mode, guidance = line
        cells = [row_of.get((*line, metric)) for metric in METRIC_NAMES]
        first = next(row for row in cells if row)
        name = f"{generator} {mode_with_guidance(mode, guidance)}"
        lines.append(
            [
                plugin_cell(encoder, random=encoder in random),
                plugin_cell(name, random=generator in random_generators),
                *(_cell(row) for row in cells),
                f"{first.n:,}",
                f"{first.references_n:,}",
                first.licence_weights or DASH,
            ]
        )
    columns = ["encoder", "generator and mode", *METRIC_NAMES.values(), "clips", "references"]
    columns.append("licence of weights")
    name = "Distances between clips and library"
    markup.show(tables.html_table(name, columns, lines, numeric=(2, 3, 4, 5)))
    download_button(rows, name=name)


def _line(row: queries.SetDistance) -> tuple[str, str, str, float | None]:
    return row.encoder, row.generator, row.mode, row.guidance


def _cell(row: queries.SetDistance | None) -> Markup:
    if row is None:
        return Markup(DASH)
    if row.value is None:
        reason = metric_labels.reason_text(row.reason or "no reason")
        return Markup(DASH) + markup.small_line(reason)
    mark = (
        Markup("<strong>✓ finding</strong>") if row.is_finding else markup.small_line("no finding")
    )
    bias = Markup("")
    if row.bias is not None:
        bias = markup.small_line(
            f"bias {format_number(row.bias, 4)}, at most {format_number(row.bias_high, 4)}"
        )
    return Markup(format_number(row.value, 4)) + bias + mark
