"""The route of the dashboard that sends the audio of tracks."""

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
    return Route(f"{AUDIO_PATH}/{{signed}}", _audio, methods=["GET"])


def _audio(request: Request) -> Response:
    content = linked_content(request.path_params["signed"])
    if content is None:
        raise HTTPException(403, "The link is not valid any more. Load the page again.")
    try:
        files = queries.locations_of_content(content)
    except DatabaseError as error:
        raise HTTPException(503, str(error), {"Retry-After": RETRY_SECONDS}) from error
    as_wav = request.query_params.get("as") == "wav"
    return audio_response(request, files, as_wav=as_wav)
