"""Entry point of the dashboard: page navigation, style sheet and error panel.

Start it with `streamlit run dashboard/app.py`.
"""

from pathlib import Path

import streamlit as st

from dashboard.components.error_panel import error_panel
from dashboard.components.level_matching import SCRIPT
from dashboard.components.login import require_login

HERE = Path(__file__).parent

st.set_page_config(page_title="mirpipe", page_icon=HERE / "icon.svg", layout="wide")
require_login()
st.html(HERE / "style.css")
st.html(SCRIPT, unsafe_allow_javascript=True)

# The pages are not in a folder named `pages`. If they were, Streamlit would show "Page not found"
# to the first visitor who opens a link to any page except the first.
PAGES = (
    ("overview", "Overview", "monitoring"),
    ("retrieval", "Retrieval", "queue_music"),
    ("generation", "Generation", "graphic_eq"),
    ("listen", "Listen", "headphones"),
    ("search", "Search", "search"),
    ("map", "Map", "scatter_plot"),
    ("hubs", "Hubs and agreement", "hub"),
    ("history", "History", "history"),
    ("sql", "SQL", "database"),
    ("quality", "Quality", "equalizer"),
    ("failures", "Failures", "report"),
    ("glossary", "Glossary", "dictionary"),
)
"""Name, title and icon of each page. The name is also the page's folder and address."""

page = st.navigation(
    [
        st.Page(
            f"views/{name}/{name}.py",
            title=title,
            icon=f":material/{icon}:",
            default=name == PAGES[0][0],
        )
        for name, title, icon in PAGES
    ],
    position="top",
)
with error_panel():
    page.run()
