"""Entry of the dashboard (`streamlit run dashboard/app.py`): pages, style, edge of errors."""

from pathlib import Path

import streamlit as st

from dashboard.components.error_panel import told
from dashboard.components.player import SCRIPT

HERE = Path(__file__).parent

st.set_page_config(page_title="mirpipe", page_icon=HERE / "icon.svg", layout="wide")
st.html(HERE / "style.css")
st.html(SCRIPT, unsafe_allow_javascript=True)

# The folder is not called `pages`: Streamlit would then show "Page not found" to the first visitor
# who opens a link to any page but the first.
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
    ("failures", "Failures", "report"),
)
"""Folder and address of each page, its title, and its icon."""

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
with told():
    page.run()
