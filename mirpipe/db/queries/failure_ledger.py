"""The failure ledger: its rows, and the number of failures by stage and reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class Failure:
    """A row of the failure ledger: one input or plug-in that could not be used."""

    stage: str
    """Stage that failed."""
    plugin: str
    """Plug-in that failed. Empty if no plug-in was involved."""
    subject: str
    """Input that failed: the path for ingest, otherwise the collection and the content hash.

    If the plug-in itself is unavailable, the subject is the kind and name of the plug-in.
    """
    title: str | None
    """Title of the track. None if the failure is not about a track."""
    track_id: int | None
    """Id of the track. None if the failure is not about a track."""
    collection: str | None
    """Collection of the track. None if the failure is not about a track."""
    reason: str
    """Short reason code, for counting failures."""
    message: str
    """Cause and remedy, as a message for the user."""
    retry: bool
    """Whether the next run tries again. False for bad input, which is skipped until it changes."""
    attempts: int
    """Number of attempts so far."""
    first_seen: datetime
    """Time of the first failure, with its time zone."""
    last_seen: datetime
    """Time of the latest failure, with its time zone."""
    revision: str
    """Revision of the plug-in. Empty if no plug-in was involved."""


@dataclass(frozen=True)
class FailureCount:
    """The failures of one stage with the same reason."""

    stage: str
    reason: str
    """Short reason code."""
    retry: bool
    """Whether the next run tries again."""
    items: int
    """Number of failures."""


_LEDGER = """
    WITH plugin AS (
        SELECT revision, name FROM mirpipe.encoder
        UNION SELECT revision, coalesce(spec ->> 'name', name) FROM mirpipe.metric
        UNION SELECT revision, name FROM mirpipe.captioner
        UNION SELECT revision, name FROM mirpipe.generator
    ), ledger AS (
        SELECT f.*, coalesce(
            (SELECT min(name) FROM plugin WHERE plugin.revision = f.revision),
            substring(f.subject FROM '^(?\\:encoder|metric|captioner|generator)\\:(.+)$'),
            '') AS plugin
        FROM mirpipe.v_failure f
    ), found AS (
        SELECT * FROM ledger
        WHERE (CAST(:stages AS text[]) = '{}' OR stage = ANY(:stages))
          AND (CAST(:reasons AS text[]) = '{}' OR reason = ANY(:reasons))
          AND position(lower(:search) IN
            lower(concat_ws(' ', plugin, title, subject, reason, message))) > 0
    )
"""
_FAILURES = text(f"""
    {_LEDGER}
    SELECT stage, plugin, subject, title, track_id, collection, reason, message, retry, attempts,
        first_seen, last_seen, revision
    FROM found ORDER BY last_seen DESC, stage, subject LIMIT :limit OFFSET :offset
""")
_NUMBER = text(f"{_LEDGER} SELECT count(*) AS n FROM found")
_FAILURE_COUNTS = text("""
    SELECT stage, reason, retry, count(*) AS items FROM mirpipe.v_failure
    GROUP BY stage, reason, retry ORDER BY items DESC, stage, reason, retry
""")


@dataclass(frozen=True)
class _Number:
    n: int


def failures(
    *,
    stages: Sequence[str] = (),
    reasons: Sequence[str] = (),
    search: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[Failure]:
    """Return the failures with one of these stages and one of these reasons, latest first.

    An empty sequence stands for all stages or all reasons. `search` is a text that the plug-in,
    title, subject, reason or message must contain. The case of letters is ignored. At most `limit`
    failures are returned, after the first `offset` ones.
    """
    rows = read_rows(
        Failure,
        _FAILURES,
        stages=list(stages),
        reasons=list(reasons),
        search=search,
        limit=limit,
        offset=offset,
    )
    return with_distinct_titles(rows, title="track_id")


def failures_n(*, stages: Sequence[str] = (), reasons: Sequence[str] = (), search: str = "") -> int:
    """Return the number of failures that `failures` returns without a limit."""
    [row] = read_rows(_Number, _NUMBER, stages=list(stages), reasons=list(reasons), search=search)
    return row.n


def failure_counts() -> list[FailureCount]:
    """Return the number of failures by stage and reason, most frequent first."""
    return read_rows(FailureCount, _FAILURE_COUNTS)
