"""Progress without a terminal: one line per ten percent or five minutes, with the time left."""

import time

import pytest

from mirpipe.cli.progress_bar import MAX_SILENT_SECONDS, progress_bar


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the clock by a list whose only item is the time in seconds."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_each_tenth_has_a_line_with_the_time_left(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("embed") as progress:
        for done in range(0, 2001, 50):
            clock[0] = done * 10.0
            progress(done, 2000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 11
    assert lines[0] == "embed: 0 of 2,000"
    assert "embed: 200 of 2,000, about 5 h left" in lines
    assert "embed: 1,800 of 2,000, about 33 min left" in lines
    assert lines[-1] == "embed: 2,000 of 2,000"


def test_long_work_has_a_line_at_least_every_five_minutes(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("generate") as progress:
        for done in range(1, 6):
            clock[0] += MAX_SILENT_SECONDS
            progress(done, 1000)
    assert len(capsys.readouterr().err.splitlines()) == 5


def test_work_that_is_soon_done_has_its_seconds(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("score") as progress:
        clock[0] = 20.0
        progress(1, 3)
    assert capsys.readouterr().err == "score: 1 of 3, about 40 s left\n"
