"""Creates the web application of the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, Depends, FastAPI

from mirpipe import search_process
from mirpipe.api import runs, search, tracks
from mirpipe.api.host_names import RequireHost
from mirpipe.api.problems import describe_errors, handle_errors
from mirpipe.api.request_size import LimitRequestSize
from mirpipe.api.token import DESCRIBED_TOKEN, RequireToken
from mirpipe.api.unknown_parameters import refuse_unknown_parameters
from mirpipe.settings import Settings

DESCRIPTION = """
Reads the library and the results of mirpipe. All operations only read. An error is returned as
problem details (RFC 9457). Times have a time zone, and lengths are in seconds. A number that could
not be computed is null.
"""
MAX_REQUESTS = 15
"""Number of connections that SQLAlchemy opens for a role. A request that finds none would fail."""
MAX_CONNECTIONS = 100
"""Number of connections from which requests get 503. Each can store an upload in a file."""
LOCAL_HOSTS = ["127.0.0.1", "localhost", "::1"]


def create_app(settings: Settings) -> FastAPI:
    """Return the application. It has no page of documentation, because that would load scripts."""
    app = FastAPI(
        title="mirpipe",
        description=DESCRIPTION,
        version=version("mirpipe"),
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    routes = APIRouter(
        prefix="/v1",
        dependencies=[
            Depends(refuse_unknown_parameters),
            *([Depends(DESCRIBED_TOKEN)] if settings.api_token else []),
        ],
    )
    for part in (tracks, runs, search):
        routes.include_router(part.router)
    app.include_router(routes)
    app.add_api_route("/health", _health, summary="Check that the API responds", tags=["health"])
    handle_errors(app)
    app.add_middleware(LimitRequestSize)
    if settings.api_token:
        app.add_middleware(RequireToken, token=settings.api_token)
    if not (settings.api_token or settings.api_without_login):
        # Otherwise, a web page could read the API through a browser here (DNS rebinding).
        app.add_middleware(RequireHost, hosts={*LOCAL_HOSTS, settings.bind})

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = FastAPI.openapi(app)
            describe_errors(app.openapi_schema)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Run at most `MAX_REQUESTS` requests at a time. Others wait. At the end, stop the search."""
    current_default_thread_limiter().total_tokens = MAX_REQUESTS
    yield
    search_process.stop()


def _health() -> dict[str, str]:
    return {"status": "ok"}
