"""Refuses requests whose body is too large, while it is received and before it is stored."""

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mirpipe.search_process import MAX_FILE_BYTES

MAX_BODY_BYTES = MAX_FILE_BYTES + 2**20
"""Largest body: an audio file, and the text of a form around it."""


class LimitRequestSize:
    """ASGI middleware that counts the bytes of the body.

    Own code, because Starlette limits only the parts of a form that are not files, and uvicorn has
    no limit.
    """

    def __init__(self, app: ASGIApp, max_bytes: int = MAX_BODY_BYTES) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise HTTPException(
                    413, f"The request is larger than {self.max_bytes // 2**20} MB. Send less."
                )
            return message

        await self.app(scope, counted, send)
