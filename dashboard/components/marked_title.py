"""Titles of references, marked if they are the same recording as their target."""

from markupsafe import Markup

from dashboard.components import markup
from dashboard.components.track_link import linked_title
from mirpipe.db.queries.same_recordings import relation_name


def marked_title(title: str, relation: str | None, address: str | None) -> Markup:
    """Return the linked title, and a badge if the track is the same recording as the query."""
    shown = linked_title(title, address)
    return shown + Markup(" ") + markup.badge(relation_name(relation)) if relation else shown
