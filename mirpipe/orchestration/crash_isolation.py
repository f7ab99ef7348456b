"""Runs a stage over a batch so that one track that kills the process cannot hide the others."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mirpipe.errors import StageCrashed
from mirpipe.orchestration.stage_subprocess import Counts, Outcome, invoke, require_done

GiveUp = Callable[[int, Outcome], None]
"""Takes a track that killed the process on its own, and how that ended."""


def run_batch(
    arguments: Sequence[str],
    track_ids: Sequence[int],
    *,
    give_up: GiveUp,
    python: Path | None = None,
) -> Counts:
    """The summed counts of the stage over `track_ids`, run by the interpreter `python`.

    Where its process dies, each half of the batch is tried in a process of its own, down to the
    single track, which `give_up` gets. Only when all that can be done is done, StageFailed (try
    again) or StageCrashed (a track kills the process each time) is raised.
    """
    outcomes = list(_halving(arguments, list(track_ids), give_up, python))
    for outcome in outcomes:
        if outcome.transient:
            require_done(arguments, outcome)
    crashed = [outcome for outcome in outcomes if outcome.crashed]
    if crashed:
        raise StageCrashed(
            f"`mirpipe {' '.join(arguments)}` {crashed[-1].ending} on {len(crashed)} of "
            f"{len(track_ids)} tracks; `mirpipe failures` names them, the others are done"
        )
    return _summed([outcome.counts for outcome in outcomes])


def _halving(
    arguments: Sequence[str], track_ids: list[int], give_up: GiveUp, python: Path | None
) -> list[Outcome]:
    outcome = invoke(arguments, track_ids=track_ids, python=python)
    if not outcome.crashed:
        return [outcome]
    if len(track_ids) == 1:
        give_up(track_ids[0], outcome)
        return [outcome]
    half = len(track_ids) // 2
    return [
        *_halving(arguments, track_ids[:half], give_up, python),
        *_halving(arguments, track_ids[half:], give_up, python),
    ]


def _summed(counts: Sequence[Counts]) -> Counts:
    names = {name for one in counts for name in one}
    return {name: sum(one.get(name, 0) for one in counts) for name in sorted(names)}
