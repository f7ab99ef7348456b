"""A line with a track's genre and instrument."""

from collections.abc import Mapping

from markupsafe import Markup

from dashboard.components.markup import muted_line


def genre_and_instrument(labels: Mapping[str, str]) -> Markup:
    """Return a line with the genre and the instrument of a track, if they are known."""
    values = [labels[label] for label in ("genre", "instrument") if labels.get(label)]
    return muted_line(" · ".join(values))
