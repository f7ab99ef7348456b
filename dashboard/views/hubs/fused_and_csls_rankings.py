"""Other ways to rank one target's references: by all encoders together, and by CSLS."""

# ruff: noqa: ARG001  (Streamlit keys what it keeps by arguments, also by one that is not read)
from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.target_picker import LINK, choose
from dashboard.data import cached_queries
from dashboard.views.hubs.hubness import named
from mirpipe.db import queries


@st.cache_data(max_entries=1000, show_spinner=False)
def fused(run: cached_queries.Key, target_id: int) -> list[queries.FusedMatch]:
    """A target's first ten references by all encoders together."""
    return queries.fused_matches(target_id)


@st.cache_data(max_entries=1000, show_spinner=False)
def reranked(run: cached_queries.Key, target_id: int) -> list[queries.RerankedMatch]:
    """A target's first ten by cosine and by CSLS."""
    return queries.reranked_matches(target_id)


def section(key: cached_queries.Key) -> None:
    """The answers of a chosen target."""
    st.subheader("What do all of them answer together?", anchor=False)
    targets = cached_queries.targets(key)
    if not targets:
        st.info("There is no target yet.", icon=":material/music_note:")
        st.code("mirpipe ingest ~/music/targets --collection target\nmirpipe run", language=None)
        return
    target = choose(targets)
    st.page_link(
        "views/listen/listen.py",
        label="Listen to its answers",
        icon=":material/headphones:",
        query_params={LINK: st.query_params[LINK]},
    )
    answers, others = fused(key, target.track_id), reranked(key, target.track_id)
    if not answers and not others:
        st.info("No run has answered this target yet.", icon=":material/hourglass_empty:")
        st.code("mirpipe run", language=None)
        return
    left, right = st.columns(2, gap="large")
    with left:
        together(answers, others)
    with right:
        by_csls(others)


def together(
    answers: Sequence[queries.FusedMatch], others: Sequence[queries.RerankedMatch]
) -> None:
    """Reciprocal rank fusion, beside the rank that each encoder gives by itself."""
    st.markdown("**Fusion of encoders**")
    if not answers:
        st.caption("No encoder with trained weights answers this target.")
        return
    encoders = answers[0].encoders
    st.caption(
        f"Reciprocal rank fusion of {' and '.join(encoders)}, random weights left out; beside it "
        "each encoder's own rank by cosine, where it is among its answers."
    )
    ranks = {(one.encoder, one.reference_id): one.cosine_rank for one in others}
    lines = [
        [
            str(one.rank),
            markup.roomy(markup.title(one.reference)),
            markup.number(one.score, 4),
            *(str(ranks.get((name, one.reference_id), markup.DASH)) for name in encoders),
        ]
        for one in answers
    ]
    heads = ["rank", "reference", "score", *encoders]
    name = "Fusion of encoders"
    markup.show(markup.table(name, heads, lines, numeric=range(2, len(heads))))
    tables.download(answers, name=name)


def by_csls(rows: Sequence[queries.RerankedMatch]) -> None:
    """Where CSLS puts another answer in the place of one by cosine."""
    st.markdown("**By cosine and by CSLS**")
    if not rows:
        st.caption("This run has not re-ranked the target's answers.")
        return
    encoder = st.segmented_control(
        "Encoder",
        list(dict.fromkeys(row.encoder for row in rows)),
        default=rows[0].encoder,
        key="space",
        bind="query-params",
        required=True,
    )
    chosen = [row for row in rows if row.encoder == (encoder or rows[0].encoder)]
    if chosen and chosen[0].random:
        markup.show(named(chosen[0].encoder, random=True))
    lines = [
        [
            str(row.cosine_rank),
            markup.roomy(markup.title(row.reference)),
            markup.number(row.cosine, 4),
            moved(row),
            markup.number(row.csls, 4),
        ]
        for row in chosen
    ]
    heads = ["by cosine", "reference", "cosine", "by CSLS", "CSLS"]
    name = "Answers by cosine and by CSLS"
    markup.show(markup.table(name, heads, lines, numeric=(0, 2, 3, 4)))
    tables.download(rows, name=name)


def moved(row: queries.RerankedMatch) -> Markup:
    """The rank by CSLS, and how many places that is up or down."""
    if row.csls_rank is None:
        return Markup("below 10")
    up = row.cosine_rank - row.csls_rank
    way = "" if not up else f" {'▲' if up > 0 else '▼'} {abs(up)}"
    return Markup("{}{}").format(row.csls_rank, way)
