"""The ticket with which the player of this session requests audio."""

import streamlit as st

from mirpipe.served_audio.links import Ticket, issue_ticket, withdraw_ticket


@st.cache_resource(scope="session", on_release=withdraw_ticket, show_spinner=False)
def audio_ticket() -> Ticket:
    """Return the ticket of this session. It is withdrawn when the page's connection ends."""
    return issue_ticket()
