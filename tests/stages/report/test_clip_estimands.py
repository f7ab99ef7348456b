"""Numbers about clips are over targets, also if the targets have different numbers of clips."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.db import queries
from mirpipe.generation.modes import MODES
from mirpipe.music.metrics.melody_accuracy import ACCURACY
from tests.dashboard import example_clips, example_library
from tests.dashboard.example_library import Piece
from tests.support.databases import Database

SIMPLE, _, STRONG = MODES
ACCURACIES = {
    ("t0", "simple"): [0.2, 0.4],
    ("t1", "simple"): [0.6],
    ("t2", "simple"): [0.9],
    ("t0", "strong"): [0.5, 0.5, 0.8],
    ("t1", "strong"): [0.7, 0.9],
}
"""Melody accuracies by target and mode. All other clips have none."""
SEEDS = 3


Accuracies = Mapping[tuple[str, str], Sequence[float]]


@pytest.fixture
def library(fresh_database: Database, tmp_path: Path) -> Database:
    """Three targets with three clips in each of two modes, scored as in `ACCURACIES`."""
    return fill(fresh_database, tmp_path, ACCURACIES)


def fill(
    database: Database, tmp_path: Path, accuracies: Accuracies, *, targets: int = 3
) -> Database:
    """Add targets with three clips in each of two modes, with these melody accuracies."""
    pieces = [
        Piece("target", f"t{n}", Path(f"/t{n}"), labels={"genre": "folk"}) for n in range(targets)
    ]
    sound = tmp_path / "a.flac"
    sound.touch()
    maker = example_clips.Maker("model", modes=[SIMPLE, STRONG], seeds=SEEDS)
    with database.owner.begin() as connection:
        example_library.fill(connection, pieces, [])
        example_clips.describe(connection)
        example_clips.make(connection, [maker], tmp_path, sound)
        connection.execute(text("DELETE FROM mirpipe.pair_score"))
        connection.execute(
            text(
                "UPDATE mirpipe.metric SET spec = spec || CAST(:spec AS jsonb) "
                "WHERE name = 'melody_accuracy'"
            ),
            {"spec": json.dumps({"low": ACCURACY.low, "high": ACCURACY.high})},
        )
        clips = connection.execute(
            text("SELECT target, target_id, mode, seed, track_id FROM mirpipe.v_generation")
        )
        for clip in clips:
            values = accuracies.get((clip.target, clip.mode), [])
            if clip.seed < len(values):
                value = values[clip.seed]
                example_library.accuracy(connection, clip.target_id, clip.track_id, value)
        example_library.update_summaries(connection)
    return database


def query(database: Database, sql: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


@pytest.mark.parametrize(
    "view", ["v_generation_summary", "v_generation_summary_history", "v_generation_group_summary"]
)
def test_mean_sd_and_n_are_over_target_means(library: Database, view: str) -> None:
    simple, strong = query(
        library,
        f"SELECT mean, sd, n, targets_n, clips_n, undefined_n, averaged_over FROM mirpipe.{view} "
        "WHERE metric = 'melody_accuracy' AND run_id IS NOT NULL ORDER BY mode",
    )
    # The target means are 0.3, 0.6 and 0.9 for simple, and 0.6 and 0.8 for strong.
    assert simple == (pytest.approx(0.6), pytest.approx(0.06**0.5), 3, 3, 4, 5, "targets")
    assert strong == (pytest.approx(0.7), pytest.approx(0.1), 2, 2, 5, 4, "targets")


def test_means_over_clips_of_earlier_runs_have_a_name_of_their_own(library: Database) -> None:
    with library.owner.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.run_generation_summary SET averaged_over = 'clips'")
        )
    subjects = {row.subject for row in queries.past_generation_summaries()}
    assert subjects == {"model simple (3) (mean over clips)", "model strong (5) (mean over clips)"}


def test_percent_divides_by_the_mean_of_the_compared_targets(library: Database) -> None:
    [(n, difference, percent)] = query(
        library,
        "SELECT n, mean_difference, percent FROM mirpipe.v_generation_delta "
        "WHERE source = 'library' AND metric = 'melody_accuracy'",
    )
    # Both modes have values for t0 and t1: 0.6 − 0.3 and 0.8 − 0.6. The mean of simple is 0.45.
    assert (n, difference) == (2, pytest.approx(0.25))
    assert percent == pytest.approx(100 * 0.25 / 0.45)


def test_a_difference_that_only_rounding_explains_is_zero(
    fresh_database: Database, tmp_path: Path
) -> None:
    upwards, downwards = [0.1, 0.2, 0.3], [0.3, 0.2, 0.1]
    assert sum(upwards) != sum(downwards)  # The sums differ in their last bit.
    targets = ("t0", "t1", "t2")
    fill(
        fresh_database,
        tmp_path,
        {(target, "simple"): upwards for target in targets}
        | {(target, "strong"): downwards for target in targets},
    )
    assert comparison(fresh_database) == (3, 0.0, 0.0, 0)


def test_a_tiny_difference_that_is_not_rounding_is_kept(
    fresh_database: Database, tmp_path: Path
) -> None:
    values = {("t0", "simple"): 0.2, ("t1", "simple"): 0.2, ("t0", "strong"): 0.2 + 1e-11}
    values |= {("t1", "strong"): 0.2 - 3e-11}
    fill(fresh_database, tmp_path, {key: [value] for key, value in values.items()})
    n, difference, sd, higher_n = comparison(fresh_database)
    assert (n, higher_n) == (2, 1)
    assert difference == pytest.approx(-1e-11, rel=1e-4)
    assert sd == pytest.approx(2e-11, rel=1e-4)


def comparison(database: Database) -> tuple[object, ...]:
    """Return n, mean difference, standard deviation and higher_n of the melody accuracies."""
    [row] = query(
        database,
        "SELECT n, mean_difference, sd, higher_n FROM mirpipe.run_comparison "
        "WHERE metric = 'melody_accuracy' AND mode IS NOT NULL",
    )
    return row


def test_intervals_stay_within_the_range_of_their_metric(
    fresh_database: Database, tmp_path: Path
) -> None:
    near_one = [1.0, 1.0, 1.0, 1.0, 0.9]
    near_zero = [0.0, 0.0, 0.1, 0.0, 0.0]
    accuracies = {
        (f"t{number}", mode): [values[number]]
        for mode, values in (("simple", near_zero), ("strong", near_one))
        for number in range(5)
    }
    fill(fresh_database, tmp_path, accuracies, targets=5)
    metric = "WHERE metric = 'melody_accuracy'"
    [simple, strong] = query(
        fresh_database,
        f"SELECT low, high FROM mirpipe.run_generation_summary {metric} ORDER BY mode",
    )
    assert simple[0] == 0.0
    assert strong[1] == 1.0
    [(low, high)] = query(fresh_database, f"SELECT low, high FROM mirpipe.run_comparison {metric}")
    assert 0 < low < 0.96 < high <= 1  # type: ignore[operator]
