"""The target that a page is about: chosen, linked to, and kept in sight with its player."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import aesthetics_rating, markup
from dashboard.components.player import player
from mirpipe.db import queries

LINK = "target"
LINK_DIGITS = 16


def labelled(targets: Sequence[queries.Target]) -> dict[int, str]:
    """A name for each target, by id, that no other one has: its title, and more where need be."""
    titles = Counter(target.title for target in targets)
    return {
        target.track_id: target.title
        if titles[target.title] == 1
        else f"{target.title} ({target.content_sha256[:6]})"
        for target in targets
    }


def choose(targets: Sequence[queries.Target]) -> queries.Target:
    """The target that the address names, else the one last looked at, else the first.

    The address holds the beginning of the content's hash, which outlives titles and databases.
    """
    by_link = {target.content_sha256[:LINK_DIGITS]: target for target in targets}
    names = labelled(targets)
    wanted = st.query_params.get(LINK) or st.session_state.get("last target")
    if wanted in by_link:
        st.session_state[LINK] = wanted
    elif st.query_params.get(LINK):
        st.warning("The link names a target that is not in the library (any more).")

    def label(link: str) -> str:
        return names[by_link[link].track_id]

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
    target: queries.Target,
    files: Sequence[queries.LiveFile],
    aesthetics: queries.Aesthetics | None,
    drawn: Markup,
    *,
    level: float,
) -> None:
    """The target, its pictures and its player, which stay in sight while the answers scroll."""
    with st.container(key="target-bar"):
        name, picture, sound = st.columns([5, 4, 4], vertical_alignment="center")
        with name:
            about = markup.title(target.title) + described(target.labels)
            if target.voiced is False:
                about += markup.note("Unpitched: no melody number of this target has a meaning.")
            markup.show(
                about,
                *([markup.readings(aesthetics_rating.readings(aesthetics))] if aesthetics else []),
            )
        with picture:
            markup.show(drawn)
        with sound:
            player(files, name=f"Target: {target.title}", key="target player", level=level)


def described(labels: dict[str, str]) -> Markup:
    """A track's genre and instrument."""
    return markup.line(" · ".join(labels[k] for k in ("genre", "instrument") if labels.get(k)))
