"""The time that pending work still takes, from how fast it decreases."""

from dashboard.data.work_rates import WINDOW_SECONDS, WorkRates

EMBED = ("embed", "signal")
ANALYSE = ("analyse", "melody")


def test_the_time_left_follows_the_decrease() -> None:
    rates = WorkRates()
    rates.observe(0, {EMBED: 60, ANALYSE: 60})
    rates.observe(10, {EMBED: 50, ANALYSE: 60})
    rates.observe(20, {EMBED: 30, ANALYSE: 60})
    assert rates.seconds_left(EMBED) == 30 / (20 / 10)
    assert rates.seconds_left(ANALYSE) is None
    assert rates.seconds_left("unknown") is None


def test_without_an_observation_there_is_no_time() -> None:
    assert WorkRates().seconds_left(EMBED) is None


def test_new_work_starts_a_new_estimate() -> None:
    rates = WorkRates()
    for seconds, items in ((0, 60), (10, 10), (20, 1000)):
        rates.observe(seconds, {EMBED: items})
    assert rates.seconds_left(EMBED) is None
    rates.observe(30, {EMBED: 900})
    rates.observe(40, {EMBED: 700})
    assert rates.seconds_left(EMBED) == 35


def test_the_time_for_which_work_waits_does_not_count() -> None:
    rates = WorkRates()
    for seconds, items in ((0, 60), (100, 60), (110, 50), (120, 40)):
        rates.observe(seconds, {EMBED: items})
    assert rates.seconds_left(EMBED) == 40


def test_work_that_stands_still_loses_its_estimate() -> None:
    rates = WorkRates()
    rates.observe(0, {EMBED: 60})
    rates.observe(10, {EMBED: 50})
    rates.observe(20, {EMBED: 30})
    assert rates.seconds_left(EMBED) == 15
    for seconds in range(30, 2 * WINDOW_SECONDS, 10):
        rates.observe(seconds, {EMBED: 30})
    assert rates.seconds_left(EMBED) is None
