"""Two alternative rankings of the references for a target: fused over encoders, and by CSLS."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.csv_download import download_button
from dashboard.components.marked_title import marked_title
from dashboard.components.number_format import DASH, format_number
from dashboard.components.plugin_labels import plugin_cell
from dashboard.components.target_picker import TARGET_PARAMETER, choose_target
from dashboard.components.track_link import track_links
from dashboard.data import cached_queries
from mirpipe.db import queries
from mirpipe.db.queries.sentence_parts import listed


def section(run: cached_queries.RunKey) -> None:
    """Draw both rankings for a target that the viewer chooses."""
    st.header("Which references match best according to all encoders together?", anchor=False)
    targets = cached_queries.targets(run)
    if not targets:
        st.info("There are no targets yet.", icon=":material/music_note:")
        st.code("mirpipe ingest ~/music/targets --collection target\nmirpipe run", language=None)
        return
    target = choose_target(targets)
    st.page_link(
        "views/listen/listen.py",
        label="Listen to its matches",
        icon=":material/headphones:",
        query_params={TARGET_PARAMETER: st.query_params[TARGET_PARAMETER]},
    )
    fused = cached_queries.fused_matches(run, target.track_id)
    reranked = cached_queries.reranked_matches(run, target.track_id)
    if not fused and not reranked:
        st.info("There are no matches for this target yet.", icon=":material/hourglass_empty:")
        st.code("mirpipe run", language=None)
        return
    left, right = st.columns(2, gap="large")
    with left:
        fusion_table(fused, reranked)
    with right:
        csls_table(reranked)


def fusion_table(
    fused: Sequence[queries.FusedMatch], reranked: Sequence[queries.RerankedMatch]
) -> None:
    """Draw the ranking by reciprocal rank fusion, and the ranks by the individual encoders."""
    st.subheader("Fusion of encoders", anchor=False)
    if not fused:
        st.caption("No encoder with trained weights has matches for this target.")
        return
    encoders = fused[0].encoders
    st.caption(
        f"Reciprocal rank fusion of {listed(encoders)}. Encoders with random weights are "
        "left out. The last columns show the rank by cosine for each single encoder, if the "
        "reference is among that encoder's matches."
    )
    links = track_links(row.reference_id for row in fused)
    rank_of = {(row.encoder, row.reference_id): row.cosine_rank for row in reranked}
    lines = [
        [
            str(row.rank),
            markup.wide(marked_title(row.reference, row.relation, links.get(row.reference_id))),
            format_number(row.score, 4),
            *(str(rank_of.get((encoder, row.reference_id), DASH)) for encoder in encoders),
        ]
        for row in fused
    ]
    columns = ["rank", "reference", "score", *encoders]
    name = "Fusion of encoders"
    markup.show(tables.html_table(name, columns, lines, numeric=range(2, len(columns))))
    download_button(fused, name=name)


def csls_table(rows: Sequence[queries.RerankedMatch]) -> None:
    """Draw the ranks by cosine and by CSLS for one encoder that the viewer chooses."""
    st.subheader("By cosine and by CSLS", anchor=False)
    if not rows:
        st.caption("The latest run has not re-ranked the matches of this target.")
        return
    chosen = st.segmented_control(
        "Encoder",
        list(dict.fromkeys(row.encoder for row in rows)),
        default=rows[0].encoder,
        key="space",
        bind="query-params",
        required=True,
    )
    shown = [row for row in rows if row.encoder == (chosen or rows[0].encoder)]
    if shown and shown[0].random:
        markup.show(plugin_cell(shown[0].encoder, random=True))
    links = track_links(row.reference_id for row in shown)
    lines = [
        [
            str(row.cosine_rank),
            markup.wide(marked_title(row.reference, row.relation, links.get(row.reference_id))),
            format_number(row.cosine, 4),
            rank_change(row),
            format_number(row.csls, 4),
        ]
        for row in shown
    ]
    columns = ["by cosine", "reference", "cosine", "by CSLS", "CSLS"]
    name = "Matches by cosine and by CSLS"
    markup.show(tables.html_table(name, columns, lines, numeric=(0, 2, 3, 4)))
    download_button(rows, name=name)


def rank_change(row: queries.RerankedMatch) -> Markup:
    """Return the rank by CSLS, and the difference from the rank by cosine."""
    if row.csls_rank is None:
        return Markup("below 10")
    change = row.cosine_rank - row.csls_rank
    arrow = "" if not change else f" {'▲' if change > 0 else '▼'} {abs(change)}"
    return Markup("{}{}").format(row.csls_rank, arrow)
