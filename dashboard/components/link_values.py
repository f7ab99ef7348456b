"""Lets a link name a choice by its code, such as `kind=dc_offset`, as the database and the API do.

Streamlit writes the displayed name of a choice into the address, and accepts nothing else.
"""

from collections.abc import Callable, Sequence

import streamlit as st


def accept_codes(key: str, options: Sequence[str], name_of: Callable[[str], str]) -> None:
    """Replace codes in the address by the names of their options. Call this before the widget.

    `key` is the widget's key and its parameter in the address, and `name_of` its `format_func`.
    """
    given = set(st.query_params.get_all(key))
    names = {name_of(option) for option in options}
    if not given.intersection(options) - names:
        return
    chosen = [option for option in options if given.intersection((option, name_of(option)))]
    st.query_params[key] = [name_of(option) for option in chosen]
    st.rerun()  # Streamlit reads the address at the start of a run.
