"""A web server on this machine that stores the messages that it receives."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.post_receiver import post_receiver


@dataclass(frozen=True)
class Webhook:
    address: str
    """Apprise URL of the server."""
    received: list[dict[str, Any]]
    """Messages, oldest first."""


@contextmanager
def running_webhook() -> Iterator[Webhook]:
    received: list[dict[str, Any]] = []
    with post_receiver(lambda body: received.append(json.loads(body))) as port:
        yield Webhook(f"json://127.0.0.1:{port}/mirpipe", received)
