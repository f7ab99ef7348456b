"""The dashboard's server: Streamlit with the pages of app.py, and routes for audio and the player.

Start it with `streamlit run dashboard/server.py`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from dashboard.data.read_ahead import results_read_ahead
from dashboard.open_browser import opened_browser
from mirpipe.response_headers import AddHeaders
from mirpipe.served_audio.route import audio_route

ASSETS = Path(__file__).parent / "assets"
POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'"
"""Forbids the pages to load anything from other machines. Streamlit and its charts need inline
scripts and eval."""


@asynccontextmanager
async def while_running(app: st.App) -> AsyncIterator[None]:
    """Open the browser, and read the results of new runs ahead, while the server runs."""
    async with opened_browser(app), results_read_ahead(app):
        yield


app = st.App(
    "app.py",
    lifespan=while_running,
    routes=[audio_route(), Mount("/assets", StaticFiles(directory=ASSETS))],
    middleware=[Middleware(AddHeaders, headers={"content-security-policy": POLICY})],
)
