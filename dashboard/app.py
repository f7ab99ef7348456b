"""Entry of the dashboard (`streamlit run dashboard/app.py`): pages, style, edge of errors."""

from pathlib import Path

import streamlit as st

from dashboard.trouble import told

HERE = Path(__file__).parent
# Listening to one track ends the one before it, so that two are never heard at once.
ONE_AT_A_TIME = """<script>
document.addEventListener("play", (event) => {
  for (const other of document.querySelectorAll("audio")) {
    if (other !== event.target) other.pause();
  }
}, true);
</script>"""

st.set_page_config(page_title="mirpipe", page_icon=HERE / "icon.svg", layout="wide")
st.html(HERE / "style.css")
st.html(ONE_AT_A_TIME, unsafe_allow_javascript=True)

# Not in a folder `pages`: until the first visit Streamlit would take such files for whole apps.
page = st.navigation(
    [
        st.Page("views/overview.py", title="Overview", icon=":material/monitoring:", default=True),
        st.Page("views/retrieval.py", title="Retrieval", icon=":material/queue_music:"),
        st.Page("views/generation.py", title="Generation", icon=":material/graphic_eq:"),
        st.Page("views/failures.py", title="Failures", icon=":material/report:"),
    ],
    position="top",
)
with told():
    page.run()
