"""Tracks: pages of the library, one track, and the nearest references of a track."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel

from mirpipe.api.values import Cursor, Limit, Neighbours, TrackId
from mirpipe.db import queries
from mirpipe.db.queries.track_details import TrackDescription, track_by_id
from mirpipe.db.queries.track_list import TrackFilter
from mirpipe.db.queries.track_pages import PagedTrack, tracks_after
from mirpipe.served_audio.byte_sources import MEDIA_TYPES
from mirpipe.served_audio.response import audio_response

router = APIRouter(tags=["tracks"])

_WITHOUT_NUL = r"^[^\x00]*$"  # Postgres cannot store the character NUL in a text.


class TrackPage(BaseModel):
    """One page of tracks, sorted by id."""

    items: list[PagedTrack]
    next: int | None
    """Cursor of the next page. None if this is the last page."""


@router.get("/tracks", summary="List tracks")
def tracks(
    cursor: Cursor = None,
    limit: Limit = 50,
    collection: Literal["reference", "target", "generated"] | None = None,
    state: Literal["ok", "rejected", "gone"] | None = None,
    search: Annotated[
        str,
        Query(
            max_length=200,
            pattern=_WITHOUT_NUL,
            description="Words that the title, the labels or a path must contain.",
        ),
    ] = "",
) -> TrackPage:
    """Return one page of the tracks. Tracks that are added meanwhile come last."""
    chosen = TrackFilter(search, [collection] if collection else [], [state] if state else [])
    rows = tracks_after(chosen, after=cursor or 0, limit=limit + 1)
    items = rows[:limit]
    return TrackPage(items=items, next=items[-1].track_id if len(rows) > limit else None)


@router.get("/tracks/{track_id}", summary="Describe a track")
def track(track_id: TrackId) -> TrackDescription:
    """Return what is stored about a track."""
    found = track_by_id(track_id)
    if found is None:
        raise HTTPException(404, f"There is no track {track_id}. GET /v1/tracks lists all tracks.")
    return found


@router.head(
    "/tracks/{track_id}/audio",
    summary="Read the size and the type of the audio of a track",
    response_class=Response,
    responses={
        206: {"description": "The header Range is met."},
        416: {"description": "The range is outside the audio."},
    },
)
@router.get(
    "/tracks/{track_id}/audio",
    summary="Read the audio of a track",
    response_class=Response,
    responses={
        200: {"content": {kind: {} for kind in sorted(set(MEDIA_TYPES.values()))}},
        206: {"description": "The bytes of the header Range."},
        416: {"description": "The range is outside the audio."},
    },
)
def audio(
    request: Request,
    track_id: TrackId,
    as_format: Annotated[
        Literal["wav"] | None,
        Query(alias="as", description="Decode the file. Formats such as AIFF always are."),
    ] = None,
) -> Response:
    """Return the file of a track, or a range of its bytes."""
    track(track_id)
    files = queries.file_locations([track_id]).get(track_id, [])
    return audio_response(request, files, as_wav=as_format == "wav")


@router.get("/tracks/{track_id}/neighbours", summary="List the nearest references of a track")
def neighbours(
    track_id: TrackId, k: Neighbours = 10, encoder: str | None = None
) -> list[queries.SimilarReferences]:
    """Return the references that are most similar to a track, by each encoder or by one encoder."""
    description = track(track_id)
    found = queries.similar_references(track_id, description.content_sha256, k=k, encoder=encoder)
    if encoder is not None and not found:
        raise HTTPException(
            404, f"There is no encoder {encoder!r}. GET /v1/encoders lists all encoders."
        )
    return found
