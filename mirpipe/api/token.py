"""The token that requests must contain, and whether the settings allow a start without one."""

import secrets

from fastapi.security import HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mirpipe.api.problems import problem_response
from mirpipe.errors import ConfigurationError
from mirpipe.orchestration.dashboard_login import is_local
from mirpipe.settings import Settings

DESCRIBED_TOKEN = HTTPBearer(auto_error=False, description="The setting MIRPIPE_API_TOKEN.")
"""Describes the token in the OpenAPI document. It refuses nothing."""


def require_token_setting(settings: Settings) -> None:
    """Raise ConfigurationError if others could reach the API without a token."""
    if settings.api_token or settings.api_without_login or is_local(settings.bind):
        return
    raise ConfigurationError(
        f"The API would listen at {settings.bind}, where others can reach it without a token. "
        "Listen on 127.0.0.1, or set MIRPIPE_API_TOKEN to a secret. To let everyone who can reach "
        "the API use it, set MIRPIPE_API_WITHOUT_LOGIN=true. docs/how-to/api.md describes this."
    )


class RequireToken:
    """ASGI middleware that refuses requests for paths under /v1 without the token.

    It is not a dependency of FastAPI, because FastAPI stores an upload before it runs dependencies.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v1") and not self._allows(scope):
            refusal = problem_response(
                401,
                "The token is missing or wrong. Send the header `Authorization: Bearer TOKEN`.",
                {"WWW-Authenticate": "Bearer"},
            )
            await refusal(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _allows(self, scope: Scope) -> bool:
        scheme, given = get_authorization_scheme_param(Headers(scope=scope).get("authorization"))
        same = secrets.compare_digest(given.encode("latin-1"), self.token.encode())
        return scheme.lower() == "bearer" and same
