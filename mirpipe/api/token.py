"""The token that requests must contain, and whether the settings allow a start without one."""

import secrets
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from mirpipe.errors import ConfigurationError
from mirpipe.orchestration.dashboard_login import is_local
from mirpipe.settings import Settings, settings

_bearer = HTTPBearer(auto_error=False, description="The setting MIRPIPE_API_TOKEN.")


def require_token_setting(settings: Settings) -> None:
    """Raise ConfigurationError if others could reach the API without a token."""
    if settings.api_token or settings.api_without_login or is_local(settings.bind):
        return
    raise ConfigurationError(
        f"The API would listen at {settings.bind}, where others can reach it without a token. "
        "Listen on 127.0.0.1, or set MIRPIPE_API_TOKEN to a secret. To let everyone who can reach "
        "the API use it, set MIRPIPE_API_WITHOUT_LOGIN=true. docs/how-to/api.md describes this."
    )


def require_token(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Refuse a request without the token. The setting must be set."""
    token = settings().api_token or ""
    given = "" if credentials is None else credentials.credentials
    if not token or not secrets.compare_digest(given.encode(), token.encode()):
        raise HTTPException(
            401,
            "The token is missing or wrong. Send the header `Authorization: Bearer TOKEN`.",
            {"WWW-Authenticate": "Bearer"},
        )
