"""Hubs and agreement: who is retrieved too often, who agrees with whom, and how good rankings are."""

import streamlit as st

st.title("Hubs and agreement", anchor=False)
