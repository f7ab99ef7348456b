"""The dashboard's server: Streamlit with the pages of app.py, and routes for audio and the player.

Start it with `streamlit run dashboard/server.py`.
"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from dashboard.content_security_policy import ContentSecurityPolicy
from dashboard.open_browser import opened_browser
from mirpipe.served_audio.route import audio_route

ASSETS = Path(__file__).parent / "assets"

app = st.App(
    "app.py",
    lifespan=opened_browser,
    routes=[audio_route(), Mount("/assets", StaticFiles(directory=ASSETS))],
    middleware=[Middleware(ContentSecurityPolicy)],
)
