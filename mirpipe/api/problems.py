"""Errors as problem details (RFC 9457), in responses and in the OpenAPI document."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from mirpipe.errors import DatabaseError, MirpipeError
from mirpipe.search_process import SearchBusy, SearchCrashed, SearchFailed, SearchUnavailable

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "10"


class Problem(BaseModel):
    """Problem details as in RFC 9457. The type is always about:blank."""

    type: str
    title: str
    """Name of the status code."""
    status: int
    detail: str
    """What happened, and what to do next."""


_CODES = (400, 401, 404, 405, 413, 422, 500, 503)
"""Status codes of errors that any operation can return."""


def handle_errors(app: FastAPI) -> None:
    """Make the app return every error as problem details."""

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> JSONResponse:
        if error.detail != HTTPStatus(error.status_code).phrase:
            return problem_response(error.status_code, str(error.detail), error.headers)
        return _routing_problem(request, error)

    @app.exception_handler(RequestValidationError)
    def invalid_request(_request: Request, error: RequestValidationError) -> JSONResponse:
        faults = (
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        )
        return problem_response(422, "; ".join(faults))

    @app.exception_handler(SearchFailed)
    def failed_search(_request: Request, error: SearchFailed) -> JSONResponse:
        if isinstance(error, SearchBusy | SearchUnavailable):
            return problem_response(503, str(error), {"Retry-After": RETRY_SECONDS})
        return problem_response(500 if isinstance(error, SearchCrashed) else 422, str(error))

    @app.exception_handler(DatabaseError)
    def unavailable_database(_request: Request, error: DatabaseError) -> JSONResponse:
        return problem_response(503, str(error), {"Retry-After": RETRY_SECONDS})

    @app.exception_handler(MirpipeError)
    def mirpipe_error(_request: Request, error: MirpipeError) -> JSONResponse:
        return problem_response(500, str(error))

    @app.exception_handler(Exception)
    def internal_error(_request: Request, _error: Exception) -> JSONResponse:
        return problem_response(
            500, "mirpipe has an internal error. Its log contains the traceback."
        )


def describe_errors(document: dict[str, Any]) -> None:
    """Add the problem details to every operation of an OpenAPI document."""
    document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in document["paths"].values():
        for operation in path.values():
            own = {
                int(code) for code in operation["responses"] if int(code) >= HTTPStatus.BAD_REQUEST
            }
            for code in {*_CODES, *own}:
                operation["responses"][str(code)] = {
                    "description": HTTPStatus(code).phrase,
                    "content": content,
                }
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)


def _routing_problem(request: Request, error: HTTPException) -> JSONResponse:
    """Return the problem of a request for an unknown path, or with a method that it refuses."""
    path = request.url.path
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = {
            method
            for route in request.app.routes
            if isinstance(route, Route) and route.matches(request.scope)[0] != Match.NONE
            for method in route.methods or ()
        }
        allowed = ", ".join(sorted(methods))
        detail = f"{path} does not accept {request.method}. Use {allowed}."
        return problem_response(error.status_code, detail, {"Allow": allowed})
    detail = f"There is no path {path}. GET /openapi.json describes all paths."
    return problem_response(error.status_code, detail, error.headers)


def problem_response(status: int, detail: str, headers: Any = None) -> JSONResponse:
    """Return an error as problem details."""
    problem = Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail
    )
    return JSONResponse(problem.model_dump(), status, headers=headers, media_type=MEDIA_TYPE)
