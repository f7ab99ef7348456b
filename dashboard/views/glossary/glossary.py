"""Glossary page: the terms that the dashboard uses, read from docs/glossary.md."""

import streamlit as st

from mirpipe.settings import PROJECT

GLOSSARY = PROJECT / "docs" / "glossary.md"


def main() -> None:
    """Draw the glossary, or a message if docs/glossary.md is not installed."""
    st.title("Glossary", anchor=False)
    if not GLOSSARY.is_file():
        st.info("The glossary is not installed. Read docs/glossary.md in mirpipe's source code.")
        return
    st.markdown(GLOSSARY.read_text(encoding="utf-8").partition("\n")[2])


main()
