"""The dashboard's server: Streamlit with the pages of app.py, and the route for audio.

Start it with `streamlit run dashboard/server.py`.
"""

import streamlit as st

from mirpipe.served_audio.route import audio_route

app = st.App("app.py", routes=[audio_route()])
