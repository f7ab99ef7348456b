"""History: any past run against any other, how every summary moved, and what was published."""

import streamlit as st

st.title("History", anchor=False)
