"""The upload field. Streamlit's copy of a file is deleted as soon as the file is stored on disk."""

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard.data import query_file
from dashboard.data.query_file import QueryFile
from mirpipe.files.printable_path import printable_path

KEY = "uploaded file"
STORED = "stored file"
"""Session state key that stores the uploaded file of the page."""


def upload_field(label: str, suffixes: Sequence[str], *, max_megabytes: int) -> QueryFile | None:
    """Draw the field, and return the chosen file. Return None if there is none."""
    uploaded = st.file_uploader(
        label, type=suffixes, max_upload_size=max_megabytes, key=KEY, on_change=_forget_removed
    )
    if uploaded is not None:
        name = printable_path(uploaded.name)
        with st.spinner(f"Reading {name} …"):
            st.session_state[STORED] = query_file.store(name, uploaded.getbuffer())
        _free(uploaded)
    elif st.session_state.get(KEY) is None:  # Otherwise, the chosen file has been stored before.
        st.session_state.pop(STORED, None)
    stored: QueryFile | None = st.session_state.get(STORED)
    if stored is not None and not stored.path.exists():
        st.caption("The connection was lost, so the file was deleted. Choose it again.")
        return None
    return stored


def _forget_removed() -> None:
    if st.session_state[KEY] is None:
        query_file.forget()


def _free(uploaded: UploadedFile) -> None:
    """Delete the copy in the memory of Streamlit, which keeps it until the session is forgotten.

    Streamlit has no documented function for this. Its own chat field calls the same method.
    """
    context = get_script_run_ctx()
    assert context is not None
    if isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, uploaded.file_id)
