"""Titles of references, marked if they are the same recording as their target."""

from markupsafe import Markup

from dashboard.components import markup
from mirpipe.db.queries.same_recordings import relation_name


def marked_title(title: str, relation: str | None) -> Markup:
    """Return the title, and a badge if the reference is the same recording as its target."""
    shown = markup.title(title)
    return shown + Markup(" ") + markup.badge(relation_name(relation)) if relation else shown
