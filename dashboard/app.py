"""The script of the dashboard: page navigation, style sheet and error panel.

server.py runs it. Without this server, the pages cannot play audio.
"""

from pathlib import Path

import streamlit as st

from dashboard.components import bottom_player, chart_theme, page_focus, track_link
from dashboard.components.error_panel import error_panel
from dashboard.components.login import require_login
from dashboard.menu import chosen_page

HERE = Path(__file__).parent

st.set_page_config(page_title="mirpipe", page_icon=HERE / "icon.svg", layout="wide")
require_login()
st.html(HERE / "style.css")
st.html(track_link.SCRIPT, unsafe_allow_javascript=True)
st.html(page_focus.SCRIPT, unsafe_allow_javascript=True)
bottom_player.draw()
chart_theme.enable()

# The pages are not in a folder named `pages`. If they were, Streamlit would show "Page not found"
# to the first visitor who opens a link to any page except the first.
page = chosen_page()
st.set_page_config(page_title=f"{page.title} · mirpipe")
with error_panel():
    page.run()
