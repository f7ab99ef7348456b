"""Links from the name of a track to its page. The page opens in the same session.

In HTML, a link is an anchor. The script hands a plain click to Streamlit as a step of the browser's
history, like the button "Back". Nothing is loaded again, and the link works without the script, in
a new tab and with the keyboard. In charts and in tables that are drawn on a canvas, the pages call
`open_track` when a track is clicked.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

import streamlit as st
from markupsafe import Markup

from dashboard.data import current_state
from mirpipe.db import queries

PAGE = "views/track/track.py"
TRACK_PARAMETER, COLLECTION_PARAMETER = "track", "in"
"""Query parameters of the page. No widget of another page has one of these names, because
Streamlit removes the parameters of the widgets when the viewer leaves their page."""
LINK_DIGITS = 16
SCRIPT = """<script>
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.mp-track");
  const modified = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (!link || event.defaultPrevented || event.button || modified) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  window.dispatchEvent(new PopStateEvent("popstate"));
});
</script>"""
"""Script of the app: it opens links to tracks in the same session."""

TrackLinks = Mapping[int, str]
"""Address of each track's page, by track id."""


def link_value(content_sha256: str) -> str:
    """Return the text that identifies a track in links: the first digits of its content hash.

    The hash remains the same if the title changes or the database is rebuilt.
    """
    return content_sha256[:LINK_DIGITS]


def track_links(track_ids: Iterable[int | None]) -> TrackLinks:
    """Return the addresses of the pages of these tracks. One query reads all of them."""
    addresses = current_state.read(queries.track_addresses, list(track_ids))
    return {
        track_id: address_of(address.collection, address.content_sha256)
        for track_id, address in addresses.items()
    }


def address_of(collection: str, content_sha256: str) -> str:
    """Return the address of a track's page, relative to any page of the dashboard."""
    return f"track?{urlencode(_parameters(collection, content_sha256))}"


def linked_title(title: str, address: str | None) -> Markup:
    """Return a title that links to the track's page. Without an address, it is no link."""
    if address is None:
        return Markup("<bdi class='mp-title'>{}</bdi>").format(title)
    return Markup("<a class='mp-title mp-track' href='{}'><bdi>{}</bdi></a>").format(address, title)


def open_track(track_id: int) -> None:
    """Open the page of a track in the same session. Do nothing if the track was deleted."""
    for address in queries.track_addresses([track_id]).values():
        parameters = _parameters(address.collection, address.content_sha256)
        st.switch_page(PAGE, query_params=parameters)


def _parameters(collection: str, content_sha256: str) -> dict[str, str]:
    return {TRACK_PARAMETER: link_value(content_sha256), COLLECTION_PARAMETER: collection}
