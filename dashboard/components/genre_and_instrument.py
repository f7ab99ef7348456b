"""Unique target names, and a line with a track's genre and instrument."""

from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from dashboard.components.markup import muted_line
from mirpipe.db import queries


def unique_names(targets: Sequence[queries.Target]) -> dict[int, str]:
    """Return a unique name for each target, by track id.

    The name is the title. If several targets have the same title, the first six digits of the
    content hash are appended.
    """
    titles = Counter(target.title for target in targets)
    return {
        target.track_id: target.title
        if titles[target.title] == 1
        else f"{target.title} ({target.content_sha256[:6]})"
        for target in targets
    }


def genre_and_instrument(labels: dict[str, str]) -> Markup:
    """Return a line with the genre and the instrument of a track, if they are known."""
    values = [labels[label] for label in ("genre", "instrument") if labels.get(label)]
    return muted_line(" · ".join(values))
