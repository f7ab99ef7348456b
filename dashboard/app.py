"""Entry of the dashboard (`streamlit run dashboard/app.py`): pages, style, edge of errors."""

from pathlib import Path

import streamlit as st

from dashboard.player import SCRIPT
from dashboard.trouble import told

HERE = Path(__file__).parent

st.set_page_config(page_title="mirpipe", page_icon=HERE / "icon.svg", layout="wide")
st.html(HERE / "style.css")
st.html(SCRIPT, unsafe_allow_javascript=True)

# Not in a folder `pages`: until the first visit Streamlit would take such files for whole apps.
page = st.navigation(
    [
        st.Page("views/overview.py", title="Overview", icon=":material/monitoring:", default=True),
        st.Page("views/retrieval.py", title="Retrieval", icon=":material/queue_music:"),
        st.Page("views/generation.py", title="Generation", icon=":material/graphic_eq:"),
        st.Page("views/listen.py", title="Listen", icon=":material/headphones:"),
        st.Page("views/search.py", title="Search", icon=":material/search:"),
        st.Page("views/map.py", title="Map", icon=":material/scatter_plot:"),
        st.Page("views/hubs.py", title="Hubs and agreement", icon=":material/hub:"),
        st.Page("views/history.py", title="History", icon=":material/history:"),
        st.Page("views/sql.py", title="SQL", icon=":material/database:"),
        st.Page("views/failures.py", title="Failures", icon=":material/report:"),
    ],
    position="top",
)
with told():
    page.run()
