"""Search by audio file: the upload field and the cached search."""

from hashlib import sha256

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard.data.cached_queries import RunKey
from mirpipe import search_process
from mirpipe.db.queries.vector_search import NearReference

SUFFIXES = ["wav", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "m4a", "mp4", "aac", "wma"]


def choose_file() -> UploadedFile | None:
    """Draw the upload field, and return the file."""
    megabytes = search_process.MAX_FILE_BYTES // 2**20
    return st.file_uploader(
        f"Or an audio file of up to {megabytes} MB, which is not stored",
        type=SUFFIXES,
        max_upload_size=megabytes,
    )


def search_by_audio(
    run: RunKey | None, file: UploadedFile, encoder: str, k: int
) -> list[NearReference]:
    """Return the references that are most similar to the file. Raises SearchFailed."""
    content = file.getvalue()
    return _cached_search(run, sha256(content).digest(), encoder, k, content, file.name)


@st.cache_data(max_entries=50, show_spinner=False)
def _cached_search(
    run: RunKey | None,  # noqa: ARG001  (part of the cache key: a new run has new references)
    content_sha256: bytes,  # noqa: ARG001  (part of the cache key instead of the content)
    encoder: str,
    k: int,
    _content: bytes,
    _name: str,
) -> list[NearReference]:
    return search_process.search_by_audio(_content, name=_name, encoder=encoder, k=k)
