"""Lets a visitor see a page only after the login that is set up."""

from pathlib import Path

import streamlit as st

from dashboard.data.audio_ticket import audio_ticket
from mirpipe.orchestration.dashboard_login import login_problem
from mirpipe.served_audio.links import withdraw_ticket
from mirpipe.settings import settings


def require_login() -> None:
    """Stop the page if the visitor is not logged in, or if there must be a login but is none.

    The check is repeated whenever the script runs. It applies to a dashboard that was started with
    `mirpipe up` as well as with `streamlit run`.
    """
    openid_connect = _has_openid_connect()
    problem = login_problem(
        settings(), address=st.get_option("server.address"), openid_connect=openid_connect
    )
    if problem is not None:
        _refuse("The dashboard is not shown, because it has no login.", problem)
    header = settings().dashboard_user_header
    if header and not (st.context.headers.get(header) or "").strip():
        _refuse(
            "You are not logged in.",
            "The request contains no user name from the proxy. Open the dashboard at the address "
            "of the proxy. The name of the header is the setting MIRPIPE_DASHBOARD_USER_HEADER.",
        )
    if not openid_connect:
        return
    if not st.user.is_logged_in:
        st.title("mirpipe", anchor=False)
        st.button("Log in", on_click=st.login, icon=":material/login:")
        st.stop()
    st.sidebar.button("Log out", on_click=_log_out, icon=":material/logout:")


def _log_out() -> None:
    withdraw_ticket(audio_ticket())
    st.logout()


def _has_openid_connect() -> bool:
    """Return whether Streamlit's secrets set up a login. Refuse the visitor if they are broken."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError as error:  # Streamlit also raises this for a file with an error.
        if any(Path(file).exists() for file in st.get_option("secrets.files")):
            _refuse("The login cannot be set up.", str(error))
        return False


def _refuse(what: str, text: str) -> None:
    st.error(what, icon=":material/lock:")
    st.text(text)
    st.stop()
