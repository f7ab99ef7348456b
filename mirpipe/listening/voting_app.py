"""The web application on which people vote. It is apart from the dashboard, so they see no more."""

import re
from importlib.resources import files
from threading import Lock
from typing import Annotated, Any, TypeVar

from cachetools import LRUCache
from fastapi import FastAPI, HTTPException, Path, Request
from fastapi.responses import JSONResponse, Response

from mirpipe.db import listener_functions
from mirpipe.db.listener_functions import ExcerptLocation, GivenAnswer, Part
from mirpipe.errors import MirpipeError
from mirpipe.listening.excerpt import excerpt
from mirpipe.response_headers import AddHeaders
from mirpipe.storage.local_copies import local_copy

MAX_CONNECTIONS = 100
"""Number of connections from which requests get 503."""
CACHE_BYTES = 128 * 2**20
"""Largest total size of the excerpts in memory. The least recently used ones are left out."""

Token = Annotated[str, Path(pattern=r"^[\w-]{20,64}$")]
Position = Annotated[int, Path(ge=0, le=10_000)]

T = TypeVar("T")

_PAGE = files("mirpipe.listening") / "page"
_HEADERS = {
    # The page can load nothing from elsewhere, and no other page can contain it.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "media-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",  # The address contains the token.
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
    "cache-control": "no-store",
}
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")  # int() refuses long numbers.


def create_app() -> FastAPI:
    """Return the application. Every address starts with a listener's token."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(AddHeaders, headers=_HEADERS)
    for name, kind in (("vote.js", "text/javascript"), ("style.css", "text/css")):
        app.add_api_route(f"/{name}", _file(name, kind), methods=["GET"])
    app.add_api_route("/{token}", _page, methods=["GET"])
    app.add_api_route("/{token}/progress", _progress, methods=["GET"])
    app.add_api_route("/{token}/consent", _consent, methods=["POST"])
    app.add_api_route("/{token}/question", _next_question, methods=["GET"])
    app.add_api_route("/{token}/question/{position}", _question, methods=["GET"])
    app.add_api_route("/{token}/audio/{position}/{part}", _Audio(), methods=["GET"])
    app.add_api_route("/{token}/vote/{position}/{answer}", _vote, methods=["POST"])
    app.add_api_route("/{token}/votes", _votes, methods=["GET"])
    app.add_api_route("/{token}/withdraw", _withdraw, methods=["POST"])
    return app


def _file(name: str, kind: str) -> Any:
    def respond() -> Response:
        return Response((_PAGE / name).read_bytes(), media_type=f"{kind}; charset=utf-8")

    return respond


def _page(token: Token) -> Response:  # noqa: ARG001  # The page's script reads it from the address.
    return Response((_PAGE / "page.html").read_bytes(), media_type="text/html; charset=utf-8")


def _progress(token: Token) -> listener_functions.Progress:
    return _found(listener_functions.progress(token))


def _consent(token: Token) -> None:
    _require(listener_functions.consent(token))


def _next_question(token: Token) -> listener_functions.ShownQuestion | None:
    """Return the first question without an answer, or null if all are answered."""
    return listener_functions.question(token)


def _question(token: Token, position: Position) -> listener_functions.ShownQuestion:
    return _found(listener_functions.question(token, position))


def _vote(token: Token, position: Position, answer: int) -> None:
    _require(-1 <= answer <= 5 and listener_functions.vote(token, position, answer))


def _votes(token: Token) -> Response:
    """Return the listener's answers as a file. Before consent, there are none."""
    _found(listener_functions.progress(token))
    answers = [_exported(each) for each in listener_functions.votes(token)]
    return JSONResponse(
        answers, headers={"content-disposition": 'attachment; filename="my-answers.json"'}
    )


def _exported(given: GivenAnswer) -> dict[str, object]:
    return {**vars(given), "answered_at": given.answered_at.isoformat()}


def _withdraw(token: Token) -> None:
    _require(listener_functions.withdraw(token))


class _Audio:
    """The handler of excerpts, with the excerpts that were requested last."""

    def __init__(self) -> None:
        self._cache: LRUCache[ExcerptLocation, bytes] = LRUCache(CACHE_BYTES, getsizeof=len)
        self._lock = Lock()

    def __call__(self, request: Request, token: Token, position: Position, part: Part) -> Response:
        location = _found(listener_functions.excerpt_location(token, position, part))
        with self._lock:
            content = self._cache.get(location)
        if content is None:
            try:
                with local_copy(location.path, location.etag) as path:
                    content = excerpt(path, location.start_seconds, location.seconds)
            except (OSError, MirpipeError) as error:
                # The message would name the file.
                raise HTTPException(503, "The audio cannot be read.") from error
            with self._lock:
                self._cache[location] = content
        return _respond_with_range(content, request.headers.get("range"))


def _respond_with_range(content: bytes, wanted: str | None) -> Response:
    """Return the requested range of the content, or all of it.

    Own code, because Starlette's FileResponse needs a file, which would remain after a kill.
    """
    headers = {"accept-ranges": "bytes", "cache-control": "private, max-age=3600"}
    match = _RANGE.fullmatch(wanted or "")
    if match is None or not any(match.groups()):
        return Response(content, media_type="audio/flac", headers=headers)
    size = len(content)
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        return Response(status_code=416, headers={"content-range": f"bytes */{size}"})
    headers["content-range"] = f"bytes {start}-{end}/{size}"
    return Response(content[start : end + 1], 206, headers, "audio/flac")


def _found(value: T | None) -> T:
    if value is None:
        raise HTTPException(404, "There is nothing at this address.")
    return value


def _require(was_done: bool) -> None:
    if not was_done:
        raise HTTPException(404, "There is nothing at this address.")
