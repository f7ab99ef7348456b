"""The dashboard's server: Streamlit with the pages of app.py, and routes for audio and the player.

Start it with `streamlit run dashboard/server.py`.
"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from dashboard.open_browser import opened_browser
from mirpipe.response_headers import AddHeaders
from mirpipe.served_audio.route import audio_route

ASSETS = Path(__file__).parent / "assets"
POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'"
"""Forbids the pages to load anything from other machines. Streamlit and its charts need inline
scripts and eval."""

app = st.App(
    "app.py",
    lifespan=opened_browser,
    routes=[audio_route(), Mount("/assets", StaticFiles(directory=ASSETS))],
    middleware=[Middleware(AddHeaders, headers={"content-security-policy": POLICY})],
)
