"""Says what is wrong and what to do about it, in place of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mirpipe.db import queries


@contextmanager
def told() -> Iterator[None]:
    """Shows an error of mirpipe's own as its message and remedy; what follows is not drawn."""
    try:
        yield
    except queries.MirpipeError as error:
        st.error("The results cannot be read.", icon=":material/database_off:")
        st.text(str(error))
        st.button("Try again", icon=":material/refresh:")
