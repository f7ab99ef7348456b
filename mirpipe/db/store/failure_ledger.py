"""The failure ledger: records what failed, in which stage and revision, and why."""

import logging
from collections.abc import Sequence

from sqlalchemy import Connection, text

from mirpipe.errors import RejectedInput
from mirpipe.records import Track

_log = logging.getLogger("mirpipe.ledger")

_RECORD = text(
    "INSERT INTO mirpipe.failure AS existing "
    "(stage, revision, subject, track_id, reason, message, retry) "
    "VALUES (:stage, :revision, :subject, :track_id, :reason, :message, :retry) "
    "ON CONFLICT (stage, revision, subject) DO UPDATE SET track_id = excluded.track_id, "
    "reason = excluded.reason, message = excluded.message, retry = excluded.retry, "
    "attempts = existing.attempts + 1, last_seen = now()"
)
_CLEAR = text(
    "DELETE FROM mirpipe.failure "
    "WHERE stage = :stage AND revision = :revision AND subject = ANY(:subjects)"
)
_CLEAR_OTHERS = text(
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
    """Record one failure, or count one more attempt if the failure is already recorded.

    `subject` identifies the failed item. `retry` is false if the input is bad, so that no later run
    tries it again. The failure is also logged if `log` is true.
    """
    # A message may quote characters that cannot be stored, because Postgres does not support NUL
    # and UTF-8 does not support lone surrogates.
    message = message.replace("\0", "�").encode("utf-8", "replace").decode()
    if log:
        fields = {
            "stage": stage,
            "revision": revision,
            "track": track_id,
            "subject": subject,
            "reason": reason,
        }
        _log.log(logging.ERROR if retry else logging.WARNING, "%s", message, extra=fields)
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
    """Delete the failures of these subjects, because they have succeeded."""
    if subjects:
        connection.execute(
            _CLEAR, {"stage": stage, "revision": revision, "subjects": list(subjects)}
        )


def clear_others(
    connection: Connection, *, stage: str, prefix: str, subjects: Sequence[str]
) -> None:
    """Delete the failures of all subjects that start with `prefix`, except these subjects."""
    connection.execute(
        _CLEAR_OTHERS, {"stage": stage, "prefix": prefix, "subjects": list(subjects)}
    )


def update_for_tracks(
    connection: Connection,
    *,
    stage: str,
    revision: str,
    succeeded: Sequence[Track],
    failed: Sequence[tuple[Track, Exception]],
) -> None:
    """Update the ledger after a batch of tracks: clear what succeeded, and record what failed.

    A RejectedInput error means bad input, which is not tried again unless its `retry` is true.
    After all other errors, the input is tried again.
    """
    update_for_subjects(
        connection,
        stage=stage,
        revision=revision,
        succeeded=[track.subject for track in succeeded],
        failed=[(track.subject, track.track_id, problem) for track, problem in failed],
    )


def update_for_subjects(
    connection: Connection,
    *,
    stage: str,
    revision: str,
    succeeded: Sequence[str],
    failed: Sequence[tuple[str, int, Exception]],
) -> None:
    """Update the ledger after a batch of any kind of subject, like `update_for_tracks`.

    An item of `failed` contains a subject, the id of its track, and the error.
    """
    clear(connection, stage=stage, revision=revision, subjects=succeeded)
    for subject, track_id, problem in failed:
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
