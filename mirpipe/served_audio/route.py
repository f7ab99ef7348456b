"""The route of the dashboard that sends the audio of tracks."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mirpipe.db import queries
from mirpipe.errors import DatabaseError
from mirpipe.served_audio.links import AUDIO_PATH, linked_content
from mirpipe.served_audio.response import RETRY_SECONDS, audio_response


def audio_route() -> Route:
    """Return the route for GET and HEAD requests with the links of `audio_link`."""
    return Route(f"{AUDIO_PATH}/{{link}}", _audio, methods=["GET"])


def _audio(request: Request) -> Response:
    linked = linked_content(request.path_params["link"])
    if linked is None:
        raise HTTPException(403, "The link is not valid any more. Load the page again.")
    content, ticket = linked
    as_wav = request.query_params.get("as") == "wav"
    if upload := ticket.uploads.get(content):
        if isinstance(upload.path, Path) and not upload.path.is_file():
            raise HTTPException(404, "The uploaded file has been deleted. Upload it again.")
        return audio_response(request, [upload], as_wav=as_wav)
    try:
        files = queries.locations_of_content(content)
    except DatabaseError as error:
        raise HTTPException(503, str(error), {"Retry-After": RETRY_SECONDS}) from error
    return audio_response(request, files, as_wav=as_wav)
