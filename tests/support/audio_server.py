"""A server in this process that sends audio, as the dashboard's server does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette

from mirpipe.served_audio.route import audio_route
from tests.support.waiting import eventually


@contextmanager
def running_audio_server() -> Iterator[httpx.Client]:
    """Yield a client for a server with the audio route."""
    app = Starlette(routes=[audio_route()])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started, seconds=20)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(20)
