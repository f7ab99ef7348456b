"""Record in the failure ledger the tracks that crash a stage."""

from mirpipe.orchestration.crash_isolation import RecordCrash
from mirpipe.orchestration.stage_subprocess import Outcome


def crash_recorder(stage: str, revision: str) -> RecordCrash:
    """Return a callback that records a crashed track as a failure of this stage and revision."""

    def record_crash(track_id: int, outcome: Outcome) -> None:
        from mirpipe.db.engine import engine
        from mirpipe.db.store import failure_ledger, tracks

        with engine("app").begin() as connection:
            found = tracks.usable_tracks(connection, [track_id])
            if not found:
                return  # The track has been removed in the meantime, so nothing is pending for it.
            (track,) = found
            failure_ledger.record(
                connection,
                stage=stage,
                revision=revision,
                subject=track.subject,
                track_id=track_id,
                reason="crashed",
                message=f"the process that worked on this track alone {outcome.description}",
                retry=outcome.transient,
            )

    return record_crash
