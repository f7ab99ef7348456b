"""Batches whose process dies: the track that does it is found, and the others are done."""

import signal

import pytest

from mirpipe.errors import StageCrashed, StageFailed
from mirpipe.orchestration.crash_isolation import run_batch
from mirpipe.orchestration.stage_subprocess import Outcome
from tests.orchestration.conftest import FakeStage

EMBED = ["embed", "--encoder", "tiny"]


def done(stage: FakeStage, poison: set[int]) -> list[int]:
    """Tracks that were in a process that lived."""
    return sorted(
        id_ for run in stage.seen if not poison & {*run["track_ids"]} for id_ in run["track_ids"]
    )


def test_a_batch_that_works_is_one_process(stage: FakeStage) -> None:
    assert run_batch(EMBED, [1, 2, 3], give_up=_nobody) == {"embedded": 3}
    assert len(stage.seen) == 1


@pytest.mark.parametrize("poison", [{6}, {1, 8}, {1, 2, 3, 4, 5, 6, 7, 8}])
def test_tracks_that_kill_the_process_are_singled_out(stage: FakeStage, poison: set[int]) -> None:
    stage.behave(signals=dict.fromkeys(poison, signal.SIGSEGV))
    given_up: dict[int, Outcome] = {}
    with pytest.raises(StageCrashed, match=f"Segmentation fault on {len(poison)} of 8 tracks"):
        run_batch(EMBED, range(1, 9), give_up=given_up.__setitem__)
    assert set(given_up) == poison
    assert not any(outcome.transient for outcome in given_up.values())
    assert done(stage, poison) == sorted({*range(1, 9)} - poison)


def test_a_track_that_was_killed_may_be_tried_again(stage: FakeStage) -> None:
    stage.behave(signals={2: signal.SIGKILL})
    given_up: dict[int, Outcome] = {}
    with pytest.raises(StageFailed, match="out of memory"):
        run_batch(EMBED, [1, 2], give_up=given_up.__setitem__)
    assert given_up[2].transient


def test_a_failure_in_one_half_does_not_keep_the_other_from_running(stage: FakeStage) -> None:
    stage.behave(signals={4: signal.SIGABRT}, codes={1: 1})
    given_up: dict[int, Outcome] = {}
    with pytest.raises(StageFailed):
        run_batch(EMBED, [1, 2, 3, 4], give_up=given_up.__setitem__)
    assert set(given_up) == {4}
    assert done(stage, {4}) == [1, 2, 3]


def test_a_batch_that_is_told_to_end_is_not_split(stage: FakeStage) -> None:
    stage.behave(signals={1: signal.SIGTERM})
    with pytest.raises(StageFailed):
        run_batch(EMBED, [1, 2, 3, 4], give_up=_nobody)
    assert len(stage.seen) == 1


def _nobody(track_id: int, outcome: Outcome) -> None:
    raise AssertionError(f"track {track_id} was given up: {outcome}")
