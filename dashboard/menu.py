"""The pages of the dashboard, by section of the menu."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

SECTIONS = {
    "": (("overview", "Overview", "monitoring"),),
    "Results": (
        ("retrieval", "Retrieval", "queue_music"),
        ("generation", "Generation", "graphic_eq"),
        ("listening", "Listening tests", "how_to_vote"),
        ("hubs", "Hubs and agreement", "hub"),
        ("history", "History", "history"),
    ),
    "Music": (
        ("listen", "Listen", "headphones"),
        ("search", "Search", "search"),
        ("tracks", "Tracks", "library_music"),
        ("map", "Map", "scatter_plot"),
        ("track", "Track", "audio_file"),
    ),
    "Problems": (
        ("quality", "Quality", "equalizer"),
        ("failures", "Failures", "report"),
    ),
    "Look up": (
        ("sql", "SQL", "database"),
        ("glossary", "Glossary", "dictionary"),
    ),
}
"""Name, title and icon of each page. The name is also the page's folder and address. A page without
a section is a link in the menu. Its row has room for all sections in a window of 1,024 pixels."""
FIRST = "overview"
OUTSIDE_THE_MENU = ("track",)
"""Pages that only links open, because they need a choice."""
# On a phone, Streamlit puts the headings of the sections into a list, which screen readers reject.
SCRIPT = """<script>
const items = "[data-testid=stSidebarNavItems]";
const removeListRoles = () => document.querySelectorAll(`${items}, ${items} li`)
  .forEach((element) => element.setAttribute("role", "none"));
removeListRoles();
new MutationObserver(removeListRoles).observe(document.body, {childList: true, subtree: true});
</script>"""


def chosen_page() -> StreamlitPage:
    """Draw the menu and return the page in the address."""
    st.html(SCRIPT, unsafe_allow_javascript=True)
    return st.navigation(
        {
            section: [
                st.Page(
                    f"views/{name}/{name}.py",
                    title=title,
                    icon=f":material/{icon}:",
                    default=name == FIRST,
                    visibility="hidden" if name in OUTSIDE_THE_MENU else "visible",
                )
                for name, title, icon in pages
            ]
            for section, pages in SECTIONS.items()
        },
        position="top",
    )
