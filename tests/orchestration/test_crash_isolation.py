"""If the process of a batch crashes, the track that causes the crash is found.

All other tracks are processed.
"""

import signal

import pytest

from mirpipe.errors import StageCrashed, StageFailed
from mirpipe.orchestration.crash_isolation import run_batch
from mirpipe.orchestration.stage_subprocess import Outcome
from tests.orchestration.conftest import FakeStage

pytestmark = pytest.mark.slow

EMBED = ["embed", "--encoder", "tiny"]


def done(stage: FakeStage, bad_tracks: set[int]) -> list[int]:
    """Return the track ids of all processes that did not crash."""
    return sorted(
        track_id
        for call in stage.calls
        if not bad_tracks & {*call["track_ids"]}
        for track_id in call["track_ids"]
    )


def test_a_batch_without_a_crash_is_one_process(stage: FakeStage) -> None:
    assert run_batch(EMBED, [1, 2, 3], record_crash=_unexpected) == {"embedded": 3}
    assert len(stage.calls) == 1


@pytest.mark.parametrize("bad_tracks", [{6}, {1, 8}, {1, 2, 3, 4, 5, 6, 7, 8}])
def test_each_track_that_crashes_the_process_is_found(
    stage: FakeStage, bad_tracks: set[int]
) -> None:
    stage.behave(signals=dict.fromkeys(bad_tracks, signal.SIGSEGV))
    crashes: dict[int, Outcome] = {}
    with pytest.raises(StageCrashed, match=f"Segmentation fault on {len(bad_tracks)} of 8 tracks"):
        run_batch(EMBED, range(1, 9), record_crash=crashes.__setitem__)
    assert set(crashes) == bad_tracks
    assert not any(outcome.transient for outcome in crashes.values())
    assert done(stage, bad_tracks) == sorted({*range(1, 9)} - bad_tracks)


def test_a_track_that_runs_out_of_memory_may_be_retried(stage: FakeStage) -> None:
    stage.behave(signals={2: signal.SIGKILL})
    crashes: dict[int, Outcome] = {}
    with pytest.raises(StageFailed, match="out of memory"):
        run_batch(EMBED, [1, 2], record_crash=crashes.__setitem__)
    assert crashes[2].transient


def test_the_other_half_runs_even_if_one_half_fails(stage: FakeStage) -> None:
    stage.behave(signals={4: signal.SIGABRT}, codes={1: 1})
    crashes: dict[int, Outcome] = {}
    with pytest.raises(StageFailed):
        run_batch(EMBED, [1, 2, 3, 4], record_crash=crashes.__setitem__)
    assert set(crashes) == {4}
    assert done(stage, {4}) == [1, 2, 3]


def test_a_batch_that_is_asked_to_stop_is_not_split(stage: FakeStage) -> None:
    stage.behave(signals={1: signal.SIGTERM})
    with pytest.raises(StageFailed):
        run_batch(EMBED, [1, 2, 3, 4], record_crash=_unexpected)
    assert len(stage.calls) == 1


def _unexpected(track_id: int, outcome: Outcome) -> None:
    raise AssertionError(f"track {track_id} crashed: {outcome}")
