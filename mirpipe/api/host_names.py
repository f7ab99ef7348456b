"""Refuses requests for other host names, which a web page could send by DNS rebinding."""

from collections.abc import Collection

from starlette.datastructures import URL
from starlette.types import ASGIApp, Receive, Scope, Send

from mirpipe.api.problems import problem_response


class RequireHost:
    """ASGI middleware that answers 400 to requests whose header Host names another host.

    Own code, because Starlette's middleware answers as plain text and cannot read IPv6 addresses.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and URL(scope=scope).hostname not in self.hosts:
            refusal = problem_response(400, "Without a token, use an address of this machine.")
            await refusal(scope, receive, send)
        else:
            await self.app(scope, receive, send)
