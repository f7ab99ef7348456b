"""The answer to a page's question, in one paragraph below the page's title."""

import re
from collections.abc import Iterable, Mapping

import streamlit as st
from markupsafe import Markup

from dashboard.components.track_link import linked_title

# The sentences isolate the titles, so that their writing direction does not affect other words.
_TITLE = re.compile("\N{FIRST STRONG ISOLATE}(.*?)\N{POP DIRECTIONAL ISOLATE}", re.DOTALL)


def show(*sentences: str, links: Iterable[tuple[str, str | None]] = ()) -> None:
    """Draw the sentences that are not empty, or nothing if all of them are empty.

    `links` contains titles and addresses of tracks. These titles become links, except a title that
    several tracks have: its link could lead to the wrong one.
    """
    text = " ".join(filter(None, sentences))
    if text:
        pieces = Markup("").join(_pieces(text, _unambiguous(links)))
        st.html(str(Markup("<p class='mp-answer'><bdi>{}</bdi></p>").format(pieces)))


def _unambiguous(links: Iterable[tuple[str, str | None]]) -> dict[str, str | None]:
    addresses: dict[str, set[str | None]] = {}
    for title, address in links:
        addresses.setdefault(title, set()).add(address)
    return {title: found.pop() for title, found in addresses.items() if len(found) == 1}


def _pieces(text: str, links: Mapping[str, str | None]) -> list[str | Markup]:
    """Return the parts of the text. Every second one is a title, as a link if it has an address."""
    parts: list[str | Markup] = [*_TITLE.split(text)]
    for index in range(1, len(parts), 2):
        title = str(parts[index])
        if address := links.get(title):
            parts[index] = linked_title(title, address)
        else:
            parts[index] = f"\N{FIRST STRONG ISOLATE}{title}\N{POP DIRECTIONAL ISOLATE}"
    return parts
