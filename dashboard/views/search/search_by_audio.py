"""Search by audio file: the upload field, its player and the cached search."""

from functools import partial
from pathlib import Path

import streamlit as st

from dashboard.components import markup
from dashboard.components.file_upload import upload_field
from dashboard.components.player import player
from dashboard.data.cached_queries import RunKey
from dashboard.data.query_file import QueryFile
from dashboard.views.search.search_results import Query
from mirpipe import search_process
from mirpipe.db.queries.vector_search import NearReference

SUFFIXES = ["wav", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "m4a", "mp4", "aac", "wma"]


def choose_file() -> QueryFile | None:
    """Draw the upload field, and return the file."""
    megabytes = search_process.MAX_FILE_BYTES // 2**20
    return upload_field(
        f"Or an audio file of up to {megabytes} MB, which is deleted when you leave",
        SUFFIXES,
        max_megabytes=megabytes,
    )


def query(file: QueryFile) -> Query:
    """Return the file as a query. Its level is known if it can be decoded."""
    return Query(file.name, [file.location] if file.location else [], partial(_draw, file))


def _draw(file: QueryFile, level: float | None) -> None:
    """Draw the name and the player of the file."""
    with st.container(gap="xsmall"):
        markup.show(markup.sentence("Similar to {}", markup.any_direction(file.name)))
        if file.location is None:
            markup.show(markup.remark("The file cannot be decoded, so it cannot be played."))
        else:
            player(
                [file.location],
                name=f"Query: {file.name}",
                picture=file.picture,
                role="target",
                level=level,
            )


def search_by_audio(
    run: RunKey | None, file: QueryFile, encoder: str, k: int
) -> list[NearReference]:
    """Return the references that are most similar to the file. Raises SearchFailed."""
    return _cached_search(run, file.sha256, encoder, k, file.path, file.name)


@st.cache_data(max_entries=50, show_spinner=False)
def _cached_search(
    run: RunKey | None,  # noqa: ARG001  (part of the cache key: a new run has new references)
    file_sha256: str,  # noqa: ARG001  (part of the cache key instead of the path)
    encoder: str,
    k: int,
    _path: Path,
    _name: str,
) -> list[NearReference]:
    return search_process.search_by_file(_path, name=_name, encoder=encoder, k=k)
