"""The usable targets."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class Target:
    """A usable track of the collection `target`."""

    track_id: int
    content_sha256: str
    """SHA-256 of the content, in hexadecimal. It is used in links because it never changes."""
    title: str
    labels: dict[str, str]
    """Labels such as genre and instrument."""
    seconds: float
    """Length in seconds."""
    voiced: bool | None
    """Whether the target is pitched. If not, melody values are meaningless. None: not measured."""
    has_matches: bool
    """Whether the latest run has matches for the target."""


_TARGETS = text("""
    SELECT t.track_id, t.content_sha256, t.title, t.labels, t.seconds, t.voiced,
        t.track_id IN (SELECT target_id FROM mirpipe.v_retrieval WHERE rank = 1) AS has_matches
    FROM mirpipe.v_library t
    WHERE t.collection = 'target' AND t.state = 'ok' ORDER BY t.title, t.content_sha256
""")


def targets() -> list[Target]:
    """Return every usable target, sorted by title."""
    return with_distinct_titles(read_rows(Target, _TARGETS), title="track_id")
