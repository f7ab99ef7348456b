"""Marks titles from tags whose encoding was guessed."""

from collections.abc import Sequence

from markupsafe import Markup

from dashboard.components.markup import badge
from mirpipe.db import queries


def guessed_tags_badge(files: Sequence[queries.FileLocation]) -> Markup:
    """Return a badge if the title of a track with these files may be decoded wrongly."""
    return badge("guessed tags") if any(file.has_guessed_tags for file in files) else Markup("")
