"""The target that a page is about: chosen, linked to, and kept in sight with its player."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard import markup, rating
from dashboard.player import player
from mirpipe.db import reports

LINK = "target"
LINK_DIGITS = 16


def choose(targets: Sequence[reports.Target]) -> reports.Target:
    """The target that the address names, else the one last looked at, else the first.

    The address holds the beginning of the content's hash, which outlives titles and databases.
    """
    by_link = {target.content_sha256[:LINK_DIGITS]: target for target in targets}
    titles = Counter(target.title for target in targets)
    wanted = st.query_params.get(LINK) or st.session_state.get("last target")
    if wanted in by_link:
        st.session_state[LINK] = wanted
    elif st.query_params.get(LINK):
        st.warning("The link names a target that is not in the library (any more).")

    def label(link: str) -> str:
        target = by_link[link]
        return target.title if titles[target.title] == 1 else f"{target.title} ({link[:6]})"

    def follow() -> None:
        st.query_params[LINK] = st.session_state[LINK]

    link = st.selectbox(
        f"Target ({len(targets):,}; type to search)",
        list(by_link),
        format_func=label,
        key=LINK,
        on_change=follow,
    )
    st.session_state["last target"] = st.query_params[LINK] = link
    return by_link[link]


def heading(
    target: reports.Target,
    files: Sequence[reports.LiveFile],
    aesthetics: reports.Aesthetics | None,
) -> None:
    """The target and its player, which stay in sight while the answers scroll."""
    with st.container(key="target-bar"):
        name, sound = st.columns([1, 1], vertical_alignment="center")
        with name:
            about = markup.title(target.title) + described(target.labels)
            if target.voiced is False:
                about += markup.note("Unpitched: no melody number of this target has a meaning.")
            markup.show(
                about, *([markup.readings(rating.readings(aesthetics))] if aesthetics else [])
            )
        with sound:
            player(files, name=f"Target: {target.title}", key="target player")


def described(labels: dict[str, str]) -> Markup:
    """A track's genre and instrument."""
    return markup.line(" · ".join(labels[k] for k in ("genre", "instrument") if labels.get(k)))
