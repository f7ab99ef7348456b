"""Isolate a track that crashes a stage: halve the batch repeatedly, down to single tracks."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mirpipe.errors import StageCrashed
from mirpipe.orchestration.stage_subprocess import Counts, Outcome, require_success, try_stage

RecordCrash = Callable[[int, Outcome], None]
"""Callback for a track whose process crashed although it worked on no other track.

The arguments are the track id and how the process ended.
"""


def run_batch(
    arguments: Sequence[str],
    track_ids: Sequence[int],
    *,
    record_crash: RecordCrash,
    python: Path | None = None,
) -> Counts:
    """Run the stage `mirpipe ARGUMENTS` on the tracks and return the summed counts.

    `python` is the interpreter that has the model's libraries. If the process crashes, each half of
    the batch runs in a separate process, and so on. If a process crashes while it works on a single
    track, the track is passed to `record_crash`. All other tracks are processed. After that, raises
    StageFailed if a retry may succeed, or StageCrashed if a track crashes the process every time.
    """
    outcomes = _run_in_halves(arguments, list(track_ids), record_crash, python)
    for outcome in outcomes:
        if outcome.transient:
            require_success(arguments, outcome)
    crashed = [outcome for outcome in outcomes if outcome.crashed]
    if crashed:
        raise StageCrashed(
            f"`mirpipe {' '.join(arguments)}` {crashed[-1].description} on {len(crashed)} of "
            f"{len(track_ids)} tracks. The other tracks are done. `mirpipe failures` lists the "
            "tracks that crashed it."
        )
    return _sum_counts([outcome.counts for outcome in outcomes])


def _run_in_halves(
    arguments: Sequence[str], track_ids: list[int], record_crash: RecordCrash, python: Path | None
) -> list[Outcome]:
    outcome = try_stage(arguments, track_ids=track_ids, python=python)
    if not outcome.crashed:
        return [outcome]
    if len(track_ids) == 1:
        record_crash(track_ids[0], outcome)
        return [outcome]
    middle = len(track_ids) // 2
    return [
        *_run_in_halves(arguments, track_ids[:middle], record_crash, python),
        *_run_in_halves(arguments, track_ids[middle:], record_crash, python),
    ]


def _sum_counts(counts: Sequence[Counts]) -> Counts:
    names = {name for outcome_counts in counts for name in outcome_counts}
    return {
        name: sum(outcome_counts.get(name, 0) for outcome_counts in counts)
        for name in sorted(names)
    }
