"""The script of the dashboard: page navigation, style sheet and error panel.

server.py runs it. Without this server, the pages cannot play audio.
"""

from pathlib import Path

import streamlit as st

from dashboard.components import bottom_player, track_link
from dashboard.components.error_panel import error_panel
from dashboard.components.login import require_login

HERE = Path(__file__).parent

st.set_page_config(page_title="mirpipe", page_icon=HERE / "icon.svg", layout="wide")
require_login()
st.html(HERE / "style.css")
st.html(track_link.SCRIPT, unsafe_allow_javascript=True)
bottom_player.draw()

# The pages are not in a folder named `pages`. If they were, Streamlit would show "Page not found"
# to the first visitor who opens a link to any page except the first.
PAGES = (
    ("overview", "Overview", "monitoring"),
    ("retrieval", "Retrieval", "queue_music"),
    ("generation", "Generation", "graphic_eq"),
    ("listen", "Listen", "headphones"),
    ("search", "Search", "search"),
    ("tracks", "Tracks", "library_music"),
    ("map", "Map", "scatter_plot"),
    ("hubs", "Hubs and agreement", "hub"),
    ("listening", "Listening tests", "how_to_vote"),
    ("history", "History", "history"),
    ("sql", "SQL", "database"),
    ("quality", "Quality", "equalizer"),
    ("failures", "Failures", "report"),
    ("glossary", "Glossary", "dictionary"),
    ("track", "Track", "audio_file"),
)
"""Name, title and icon of each page. The name is also the page's folder and address."""
OUTSIDE_THE_MENU = ("track",)
"""Pages that only links open, because they need a choice."""

page = st.navigation(
    [
        st.Page(
            f"views/{name}/{name}.py",
            title=title,
            icon=f":material/{icon}:",
            default=name == PAGES[0][0],
            visibility="hidden" if name in OUTSIDE_THE_MENU else "visible",
        )
        for name, title, icon in PAGES
    ],
    position="top",
)
st.set_page_config(page_title=f"{page.title} · mirpipe")
with error_panel():
    page.run()
