"""Search: the references nearest to an audio file, or to words, by any encoder that can."""

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import empty_states, markup, tables
from dashboard.components.player import common_level, player
from dashboard.components.target_picker import described
from dashboard.components.waveform_and_chroma import pictures
from dashboard.data import cached_queries
from dashboard.views.search import search_process
from mirpipe.db import queries
from mirpipe.db.queries.vector_search import Space, spaces

BY = ("words", "audio")
DEPTHS = (5, 10, 25)
COLUMNS = 3
SUFFIXES = ["wav", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "m4a", "mp4", "aac", "wma"]


@st.cache_data(max_entries=50, show_spinner=False)
def by_text(
    run: cached_queries.Key | None,  # noqa: ARG001
    words: str,
    encoder: str,
    k: int,
) -> list[search_process.Hit]:
    """Kept as long as the run is the latest."""
    return search_process.by_text(words, encoder=encoder, k=k)


@st.cache_data(max_entries=50, show_spinner=False)
def by_audio(
    run: cached_queries.Key | None,  # noqa: ARG001
    digest: bytes,  # noqa: ARG001
    encoder: str,
    k: int,
    _content: bytes,
    _name: str,
) -> list[search_process.Hit]:
    """Kept as long as the run is the latest, by what the file holds."""
    return search_process.by_audio(_content, name=_name, encoder=encoder, k=k)


def choose(found: Sequence[Space], by: str) -> tuple[str, int] | None:
    """Encoder and number of answers; None where no encoder can."""
    names = list(dict.fromkeys(space.encoder for space in found))
    able = [name for name in names if by == "audio" or search_process.takes_text(name)]
    if not able:
        st.info("No encoder of this library takes words. CLAP does:", icon=":material/text_fields:")
        st.code(
            "mirpipe models pull clap\nMIRPIPE_ENCODERS=musicnn,signal,clap mirpipe run",
            language=None,
            wrap_lines=True,
        )
        return None
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    if st.session_state.get("encoder") not in able:
        st.session_state.pop("encoder", None)
    with left:
        encoder = st.segmented_control(
            "By the ear of",
            able,
            default=able[0],
            key="encoder",
            bind="query-params",
            required=True,
        )
    with right:
        k = st.segmented_control(
            "Answers", DEPTHS, default=DEPTHS[0], key="k", bind="query-params", required=True
        )
    return encoder or able[0], k or DEPTHS[0]


def asked_in_words(
    run: queries.Run | None, encoder: str, k: int
) -> list[search_process.Hit] | None:
    """What was found by the words in the field, and in the address; None: nothing was asked."""
    words = st.text_input(
        "What should it sound like?",
        key="q",
        bind="query-params",
        placeholder="slow dizi solo",
        max_chars=search_process.MOST_LETTERS,
    )
    if not words or not words.strip():
        st.caption("In a few words, best in English; Enter searches.")
        return None
    with st.spinner(f"{encoder} reads, which takes a while where its model must be loaded …"):
        return by_text(cached_queries.key(run) if run else None, words.strip(), encoder, k)


def asked_by_audio(
    run: queries.Run | None, encoder: str, k: int
) -> list[search_process.Hit] | None:
    """What was found by a dropped file; None: there is none."""
    file = st.file_uploader(
        f"Any audio file of up to {search_process.MOST_BYTES // 2**20} MB; it is not kept",
        type=SUFFIXES,
        max_upload_size=search_process.MOST_BYTES // 2**20,
    )
    if file is None:
        st.caption("A link to this page restores everything but the file.")
        return None
    content = file.getvalue()
    st.audio(content, format=file.type, alt=f"Searched with: {file.name}")
    with st.spinner(f"{encoder} listens, which takes a while where its model must be loaded …"):
        return by_audio(
            cached_queries.key(run) if run else None,
            sha256(content).digest(),
            encoder,
            k,
            content,
            file.name,
        )


def answers(hits: Sequence[search_process.Hit], encoder: str) -> None:
    """What was found, to hear and to take along."""
    if not hits:
        st.info("There is no reference to find yet: ingest some, then run `mirpipe run`.")
        return
    tracks = [hit.track_id for hit in hits]
    files, drawn = queries.live_files(tracks), queries.pictures(tracks)
    level = common_level(files.values())
    st.subheader("Nearest references", anchor=False)
    st.caption(f"Cosine in the space of {encoder}; players are at one level.")
    for first in range(0, len(hits), COLUMNS):
        shown = hits[first : first + COLUMNS]
        for hit, column in zip(shown, st.columns(COLUMNS, gap="medium"), strict=False):
            with column, st.container(border=True, gap="xsmall"):
                markup.show(
                    Markup("<div><span class='mp-rank'>{}</span>{}</div>").format(
                        hit.rank, markup.title(hit.title)
                    ),
                    described(hit.labels),
                    markup.readings([("cosine", markup.number(hit.cosine, 4))]),
                    pictures(drawn.get(hit.track_id), name=hit.title),
                )
                player(
                    files.get(hit.track_id, []),
                    name=f"Answer {hit.rank}: {hit.title}",
                    key=f"hit {hit.rank}",
                    level=level,
                )
    tables.download(pd.DataFrame([asdict(hit) for hit in hits]), name="Search answers")


def main() -> None:
    """The page, as far as there is something to search in."""
    st.title("Search", anchor=False)
    found = spaces()
    if not cached_queries.library():
        empty_states.library()
        return
    if not found:
        empty_states.results()
        return
    by = st.segmented_control(
        "Search by",
        BY,
        default=BY[0],
        key="by",
        bind="query-params",
        required=True,
    )
    chosen = choose(found, by or BY[0])
    if chosen is None:
        return
    encoder, k = chosen
    run = queries.latest_run()
    random = {
        row.encoder
        for row in (cached_queries.encoders(cached_queries.key(run)) if run else [])
        if row.random
    }
    if encoder in random:
        markup.show(markup.badge(f"{encoder}: {markup.RANDOM}"))
    try:
        ask = asked_by_audio if by == "audio" else asked_in_words
        hits = ask(run, encoder, k)
    except search_process.NoAnswer as problem:
        st.error("This could not be searched for.", icon=":material/search_off:")
        st.text(str(problem))
        return
    if hits is not None:
        answers(hits, encoder)


main()
