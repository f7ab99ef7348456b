"""Limits a plan to the tracks that all slots can process in some hours.

Afterwards, the results are reported, and the next run continues with the other tracks.
"""

from collections.abc import Sequence

from mirpipe.settings import settings

ASSUMED_SECONDS = 5.0
"""Expected time per track and plug-in where it is not measured, in seconds.

`analyse` needs about this time for a track of four minutes.
"""


def limited(track_ids: Sequence[int], *, stage: str, references: bool = True) -> list[int]:
    """Return the tracks that a plan of this stage contains, of these pending tracks, sorted.

    If `references` is false, the plan contains all targets and clips, and no references. Otherwise,
    it contains at most `largest_plan()` tracks.
    """
    from mirpipe.db.engine import engine
    from mirpipe.db.store import tracks

    most = largest_plan() if references else None
    if most is not None and len(track_ids) <= most:
        return sorted(track_ids)
    with engine("app").connect() as connection:
        return tracks.first_to_process(
            connection, track_ids, stage=stage, most=most, references=references
        )


def largest_plan() -> int:
    """Return the largest number of tracks in the plan of a stage.

    All stages have the same limit, so that they process the same tracks of a new library.
    """
    configured = settings()
    measured = seconds_per_track()
    seconds = ASSUMED_SECONDS + sum(
        measured.get(name, ASSUMED_SECONDS) for name in [*configured.encoders, *configured.metrics]
    )
    return max(1, int(configured.plan_hours * 3600 * configured.slots / seconds))


def seconds_per_track() -> dict[str, float]:
    """Return how long each encoder took per track lately, in seconds."""
    from mirpipe.db.engine import engine
    from mirpipe.db.store import embeddings

    with engine("app").connect() as connection:
        return embeddings.seconds_per_track(connection)
