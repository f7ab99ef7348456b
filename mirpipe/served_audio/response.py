"""The answer to a request for audio, with conditions and ranges (RFC 9110, sections 13 and 14).

Own code, because Starlette's FileResponse reads local files only. The headers are parsed by
Werkzeug.
"""

from collections.abc import Sequence
from itertools import chain

from anyio import CancelScope
from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from werkzeug.http import (
    parse_etags,
    parse_if_range_header,
    parse_range_header,
    quote_etag,
)

from mirpipe.db.queries import FileLocation
from mirpipe.errors import ObjectChanged, RejectedInput, StorageUnavailable
from mirpipe.served_audio.byte_sources import (
    MEDIA_TYPES,
    Blocks,
    ByteSource,
    decoded_bytes,
    stored_bytes,
)

RETRY_SECONDS = "10"
# A browser may keep the audio, but asks before it plays it again. After a log-out, it is refused.
_HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
}


def audio_response(request: Request, files: Sequence[FileLocation], *, as_wav: bool) -> Response:
    """Return the audio of the first of these files that can be read, or the requested range.

    With `as_wav`, or if browsers cannot play the container, the samples are sent as a WAV file.
    The answer is 304 and empty if the browser already has this version of the audio. Raises
    HTTPException: 404 if no file can be read, 416 for a range outside the audio, and 503 if the
    bucket of the last file does not answer.
    """
    if not files:
        raise HTTPException(404, "No file of this track was found. Ingest its recording.")
    problem: Exception | None = None
    for file in files:
        is_decoded = as_wav or file.format not in MEDIA_TYPES
        try:
            return _response(request, decoded_bytes(file) if is_decoded else stored_bytes(file))
        except (StorageUnavailable, FileNotFoundError, RejectedInput, ObjectChanged) as error:
            problem = error
    if isinstance(problem, StorageUnavailable):
        raise HTTPException(503, str(problem), {"Retry-After": RETRY_SECONDS}) from problem
    raise HTTPException(404, f"{problem} The next ingest examines the file.") from problem


def _response(request: Request, source: ByteSource) -> Response:
    headers = {**_HEADERS, "ETag": source.etag}
    if parse_etags(request.headers.get("If-None-Match")).contains_weak(source.etag.strip('"')):
        return Response(status_code=304, headers=headers)
    start, stop, status = 0, source.size, 200
    asked = parse_range_header(request.headers.get("Range"))
    # A server may answer a request for several ranges with the complete content.
    is_single = asked is not None and asked.units == "bytes" and len(asked.ranges) == 1
    if asked is not None and is_single and _is_unchanged(request, source):
        found = asked.range_for_length(source.size)
        if found is None and asked.ranges[0][0] < -source.size < 0:
            found = (0, source.size)  # More than the complete audio was asked for, from its end.
        if found is None:
            raise HTTPException(
                416,
                f"The audio has {source.size} bytes.",
                {"Content-Range": f"bytes */{source.size}"},
            )
        (start, stop), status = found, 206
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{source.size}"
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=source.media_type)
    return _Stream(source.read(start, stop), status, headers, source.media_type)


def _is_unchanged(request: Request, source: ByteSource) -> bool:
    """Return whether the condition If-Range is met. A date never is, because no date is sent."""
    if "If-Range" not in request.headers:
        return True
    condition = parse_if_range_header(request.headers["If-Range"])
    return condition.etag is not None and quote_etag(condition.etag) == source.etag


class _Stream(StreamingResponse):
    """A response that closes what it reads from, also if the client stops reading."""

    def __init__(
        self, blocks: Blocks, status: int, headers: dict[str, str], media_type: str
    ) -> None:
        # The first block is read here, so that an error becomes a status instead of a broken body.
        super().__init__(chain([next(blocks, b"")], blocks), status, headers, media_type)
        self._blocks = blocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await run_sync(self._blocks.close)
