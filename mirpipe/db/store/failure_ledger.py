"""The ledger: what failed, in which stage and revision, and why."""

import logging
from collections.abc import Sequence

from sqlalchemy import Connection, text

from mirpipe.errors import RejectedInput
from mirpipe.records import Track

_log = logging.getLogger("mirpipe.ledger")

_RECORD = text(
    "INSERT INTO mirpipe.failure AS known "
    "(stage, revision, subject, track_id, reason, message, retry) "
    "VALUES (:stage, :revision, :subject, :track_id, :reason, :message, :retry) "
    "ON CONFLICT (stage, revision, subject) DO UPDATE SET track_id = excluded.track_id, "
    "reason = excluded.reason, message = excluded.message, retry = excluded.retry, "
    "attempts = known.attempts + 1, last_seen = now()"
)
_CLEAR = text(
    "DELETE FROM mirpipe.failure "
    "WHERE stage = :stage AND revision = :revision AND subject = ANY(:subjects)"
)
_FORGET_OTHERS = text(
    "DELETE FROM mirpipe.failure "
    "WHERE stage = :stage AND starts_with(subject, :prefix) AND subject <> ALL(:subjects)"
)


def record(
    connection: Connection,
    *,
    stage: str,
    subject: str,
    reason: str,
    message: str,
    retry: bool,
    revision: str = "",
    track_id: int | None = None,
    log: bool = True,
) -> None:
    """Writes one failure, or counts one more attempt; `retry` false: bad input, left alone.

    It is logged, too, unless somebody else tells of it.
    """
    # Postgres takes no NUL, and UTF-8 no lone surrogate; a message may quote either.
    message = message.replace("\0", "�").encode("utf-8", "replace").decode()
    if log:
        told = {"stage": stage, "revision": revision, "track": track_id}
        level = logging.ERROR if retry else logging.WARNING
        _log.log(level, "%s", message, extra=told | {"subject": subject, "reason": reason})
    connection.execute(
        _RECORD,
        {
            "stage": stage,
            "revision": revision,
            "subject": subject,
            "track_id": track_id,
            "reason": reason,
            "message": message,
            "retry": retry,
        },
    )


def clear(
    connection: Connection, *, stage: str, subjects: Sequence[str], revision: str = ""
) -> None:
    """Takes out of the ledger what works now."""
    if subjects:
        connection.execute(
            _CLEAR, {"stage": stage, "revision": revision, "subjects": list(subjects)}
        )


def forget_others(
    connection: Connection, *, stage: str, prefix: str, subjects: Sequence[str]
) -> None:
    """Takes out of the ledger what begins with `prefix` and is none of the subjects."""
    connection.execute(
        _FORGET_OTHERS, {"stage": stage, "prefix": prefix, "subjects": list(subjects)}
    )


def settle(
    connection: Connection,
    *,
    stage: str,
    revision: str,
    done: Sequence[Track],
    problems: Sequence[tuple[Track, Exception]],
) -> None:
    """Brings the ledger in line with a batch: what works is out, what failed is in.

    A RejectedInput is bad input, unless it is about the machine; anything else is tried again.
    """
    settle_subjects(
        connection,
        stage=stage,
        revision=revision,
        done=[track.subject for track in done],
        problems=[(track.subject, track.track_id, problem) for track, problem in problems],
    )


def settle_subjects(
    connection: Connection,
    *,
    stage: str,
    revision: str,
    done: Sequence[str],
    problems: Sequence[tuple[str, int, Exception]],
) -> None:
    """As `settle`, of subjects that are not a track: each with the track that it is about."""
    clear(connection, stage=stage, revision=revision, subjects=done)
    for subject, track_id, problem in problems:
        rejected = problem if isinstance(problem, RejectedInput) else None
        record(
            connection,
            stage=stage,
            revision=revision,
            subject=subject,
            track_id=track_id,
            reason=rejected.reason if rejected else type(problem).__name__,
            message=str(problem),
            retry=rejected is None or rejected.retry,
        )
