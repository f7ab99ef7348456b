"""A search field for a selector that would have too many choices. The server searches them."""

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

from dashboard.components.tables import MAX_CHOICES

Choice = TypeVar("Choice", int, str)
LISTED = 50
"""Largest number of choices that a search returns."""


def searched_choices(
    texts: Mapping[Choice, str], chosen: Choice | None, *, label: str, key: str
) -> list[Choice]:
    """Return the choices of a selector, in the order of `texts`, with the chosen one among them.

    If there are more than `MAX_CHOICES`, draw a search field with this label and key, and return
    the first `LISTED` choices whose text contains all words.
    """
    if len(texts) <= MAX_CHOICES:
        return list(texts)
    words = (st.text_input(label, key=key, type="search") or "").casefold().split()
    found = [
        choice for choice, text in texts.items() if all(word in text.casefold() for word in words)
    ]
    listed = f", of which {LISTED} are listed" if len(found) > LISTED else ""
    st.caption(f"{len(found):,} of {len(texts):,} found{listed}.")
    kept = set(found[:LISTED]) | {chosen}
    return [choice for choice in texts if choice in kept]
