"""Distances of sets: how far the clips of each mode lie, as a whole, from the reference library."""

from collections.abc import Sequence, Set

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, metric_labels, tables
from dashboard.views.generation.mode_summary import named as mode_named
from dashboard.views.hubs.hubness import named
from mirpipe.db import queries

NAMES = {"kad": "KAD", "fad_inf": "FAD∞"}
LEAST = 50
"""Clips from which on a distance says something, as the database marks it."""


def section(rows: Sequence[queries.SetDistance], random: Set[str]) -> None:
    """A line a generator, mode, guidance and space; only findings are marked as such.

    `random`: the encoders of random weights; what else is random is so by its generator.
    """
    st.subheader("How far are the clips, as a set, from the library?", anchor=False)
    if not rows:
        st.info("No run has measured clips yet.", icon=":material/hourglass_empty:")
        st.code("mirpipe generate\nmirpipe run", language=None)
        return
    st.caption(
        "KAD: kernel distance; FAD∞: Fréchet distance extrapolated to a set without end. 0 is "
        "alike, higher is farther; compare within one encoder's space alone. ✓ finding: at least "
        f"{LEAST} clips. Without it, the number says nothing yet."
    )
    found = {(*place(row), row.metric): row for row in rows}
    makers = {row.generator for row in rows if row.random and row.encoder not in random}
    lines = []
    for where in dict.fromkeys(place(row) for row in rows):
        encoder, generator, mode, guidance = where
        cells = [found.get((*where, one)) for one in NAMES]
        first = next(row for row in cells if row)
        lines.append(
            [
                named(encoder, random=encoder in random),
                named(f"{generator} {mode_named(mode, guidance)}", random=generator in makers),
                *(cell(row) for row in cells),
                f"{first.n:,}",
                f"{first.references_n:,}",
                first.licence_weights or markup.DASH,
            ]
        )
    heads = ["space of", "clips of", *NAMES.values(), "clips", "references", "licence of weights"]
    name = "Distances of sets"
    markup.show(markup.table(name, heads, lines, numeric=(2, 3, 4, 5)))
    tables.download(rows, name=name)


def place(row: queries.SetDistance) -> tuple[str, str, str, float | None]:
    """What a line is about."""
    return row.encoder, row.generator, row.mode, row.guidance


def cell(row: queries.SetDistance | None) -> Markup:
    """A distance, and whether it is a finding; or why there is none."""
    if row is None:
        return Markup(markup.DASH)
    if row.value is None:
        return Markup(markup.DASH) + markup.small(metric_labels.said(row.reason or "no reason"))
    mark = Markup("<strong>✓ finding</strong>") if row.is_finding else markup.small("no finding")
    return Markup(markup.number(row.value, 4)) + mark
