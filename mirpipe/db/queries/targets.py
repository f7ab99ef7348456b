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


# The views v_library and v_retrieval would also read the files and all scores of the matches.
_TARGETS = text("""
    SELECT t.track_id, encode(t.content_sha256, 'hex') AS content_sha256, t.title, t.labels,
        t.seconds, m.voiced, EXISTS (
            SELECT FROM mirpipe.served_neighbour s
            WHERE s.target_id = t.track_id AND s.rank = 1 AND s.to_run IS NULL) AS has_matches
    FROM mirpipe.track t
    LEFT JOIN mirpipe.shown_metric shown ON shown.name = 'melody'
    LEFT JOIN mirpipe.melody m ON m.metric_id = shown.metric_id AND m.track_id = t.track_id
    WHERE t.collection = 'target' AND t.state = 'ok' ORDER BY t.title, t.content_sha256
""")


def targets() -> list[Target]:
    """Return every usable target, sorted by title."""
    return with_distinct_titles(read_rows(Target, _TARGETS), title="track_id")
