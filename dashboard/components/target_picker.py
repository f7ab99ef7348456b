"""The target selector, and the link that opens a page with the chosen target."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components.searched_choices import searched_choices
from dashboard.components.track_link import link_value
from mirpipe.db import queries

TARGET_PARAMETER = "target"
"""Query parameter that contains the chosen target."""
LAST_TARGET = "last target"
"""Session state key that stores the target for when the viewer opens another page."""


def choose_target(targets: Sequence[queries.Target]) -> queries.Target:
    """Draw the selector and return the chosen target. `targets` must not be empty.

    A long list of targets is searched by title and artist.
    Initially, the target in the address is chosen. If the address contains none, this is the
    target that was chosen last, or else the first pitched target, because melody has a meaning
    there.
    """
    by_link = {link_value(target.content_sha256): target for target in targets}
    requested = st.query_params.get(TARGET_PARAMETER) or st.session_state.get(LAST_TARGET)
    if requested in by_link:
        st.session_state[TARGET_PARAMETER] = requested
    elif st.query_params.get(TARGET_PARAMETER):
        st.warning("The target in this link is not in the library. Choose another target.")
    if TARGET_PARAMETER not in st.session_state:
        pitched = next((target for target in targets if target.voiced is not False), targets[0])
        st.session_state[TARGET_PARAMETER] = link_value(pitched.content_sha256)

    def name(link: str) -> str:
        return by_link[link].title

    def update_address() -> None:
        st.query_params[TARGET_PARAMETER] = st.session_state[TARGET_PARAMETER]

    links = searched_choices(
        {
            link: f"{target.title} {target.labels.get('artist', '')}"
            for link, target in by_link.items()
        },
        st.session_state[TARGET_PARAMETER],
        label="Find a target by title or artist",
        key="target_words",
    )
    link = st.selectbox(
        f"Target ({len(targets):,}; type to search)" if len(links) == len(by_link) else "Target",
        links,
        format_func=name,
        key=TARGET_PARAMETER,
        on_change=update_address,
    )
    st.session_state[LAST_TARGET] = st.query_params[TARGET_PARAMETER] = link
    return by_link[link]
