"""Agreement: how far encoders answer alike, and how far CSLS is what it would be in full."""

from collections.abc import Sequence, Set

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.views.hubs.hubness import named
from mirpipe.db import queries


def section(rows: Sequence[queries.Agreement], random: Set[str]) -> None:
    """Every encoder against every other; those of `random` weights are marked."""
    st.subheader("Do the encoders agree?", anchor=False)
    if not rows:
        st.caption("There is one encoder alone, and nobody that it could agree with.")
        st.code("MIRPIPE_ENCODERS=musicnn,signal mirpipe run", language=None)
        return
    st.caption(
        "Rank-biased overlap of each target's 50 nearest references (p = 0.9), 0 disjoint to 1 "
        "equal, and below it the share of targets whose first answer is the same."
    )
    names = list(dict.fromkeys(row.encoder for row in rows))
    found = {(row.encoder, row.other): row for row in rows}
    lines = []
    for one in names:
        cells = [cell(found.get((one, other)), same=one == other) for other in names]
        lines.append([named(one, random=one in random), *cells])
    name = "Agreement of encoders"
    numeric = range(1, len(names) + 1)
    markup.show(markup.table(name, ["encoder", *names], lines, numeric=numeric, narrow=True))
    tables.download(rows, name=name)


def cell(row: queries.Agreement | None, *, same: bool) -> Markup:
    """RBO above top-1 agreement."""
    if row is None:
        return Markup("itself" if same else markup.DASH)
    return (
        Markup("{}").format(markup.number(row.rbo, 3))
        + markup.small(f"same first answer {row.top1:.0%}")
        + markup.small(f"n = {row.n}")
    )


def csls(rows: Sequence[queries.CslsAgreement]) -> None:
    """How far the re-ranking of the nearest is what a full one would be."""
    if not rows:
        return
    st.markdown("**Is re-ranking the nearest enough?**")
    st.caption(
        f"CSLS puts the {rows[0].kept} nearest in order anew. Compared with putting every "
        "reference in order: share of targets with the same first answer, and of the first ten "
        "answers that are the same."
    )
    lines = [
        [
            named(row.encoder, random=row.random),
            f"{row.top1_equal:.1%}",
            f"{row.top10_overlap:.1%}",
            f"{row.targets_n:,} × {row.references_n:,}" + (", a sample" if row.is_sample else ""),
            neighbourhood(row),
        ]
        for row in rows
    ]
    heads = ["encoder", "same first answer", "same first ten", "targets × references"]
    heads.append("neighbourhoods among")
    name = "CSLS and a full computation"
    markup.show(markup.table(name, heads, lines, numeric=(1, 2, 3, 4), narrow=True))
    tables.download(rows, name=name)


def neighbourhood(row: queries.CslsAgreement) -> Markup:
    """Among how many references neighbourhoods were looked for, and how far that suffices."""
    said = Markup(markup.together(f"{row.base_n:,} references"))
    if row.base_top1_equal is None or row.base_top10_overlap is None:
        return said
    return said + markup.small(
        f"as among all: first answer {row.base_top1_equal:.1%}, ten {row.base_top10_overlap:.1%}"
    )
