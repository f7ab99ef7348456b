"""Opens the dashboard in a web browser as soon as it responds.

Streamlit does this itself for a script, but not for an `st.App`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import streamlit as st
import typer

from mirpipe.orchestration.server_address import local_url

_POLL_SECONDS = 0.05


@asynccontextmanager
async def opened_browser(_app: st.App) -> AsyncIterator[None]:
    """While the server runs, open the browser once, unless the option `server.headless` is set."""
    task = None
    if not st.get_option("server.headless"):
        task = asyncio.create_task(_open())
    yield
    if task is not None:
        task.cancel()


async def _open() -> None:
    url = local_url(st.get_option("server.address") or "127.0.0.1", st.get_option("server.port"))
    async with httpx.AsyncClient(trust_env=False) as client:
        while not await _responds(client, url):
            await asyncio.sleep(_POLL_SECONDS)
    await asyncio.to_thread(typer.launch, url)


async def _responds(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/_stcore/health")).is_success
    except httpx.TransportError:
        return False
