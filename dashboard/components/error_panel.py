"""An error panel that shows the message and the remedy instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mirpipe.errors import MirpipeError


@contextmanager
def error_panel() -> Iterator[None]:
    """Run the block. If it raises a MirpipeError, show the message and a retry button.

    The rest of the page after the error is not drawn.
    """
    try:
        yield
    except MirpipeError as error:
        st.error("The results cannot be read.", icon=":material/database_off:")
        st.text(str(error))
        st.button("Try again", icon=":material/refresh:")
