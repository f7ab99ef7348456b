"""Measures the melody metrics on all pairs in the demo library, with and without stored melodies.

The straightforward computation decodes and transcribes both tracks for every pair. With N tracks,
it transcribes each track N - 1 times. If the melodies must be computed first ("cold"), storing them
therefore makes the computation at most N - 1 times as fast. There is no such limit if the melodies
are already stored. The course accuracy is compared with the straightforward computation of the
course accuracy, and all melody metrics together are compared with the straightforward computation
of all metrics. Decoding and transcribing are measured in CPU seconds, which other processes do not
influence. Pairs with stored melodies are measured in wall-clock seconds, because the database also
takes time. Other processes can increase these times.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import text

from benchmarks.large_library import measure_seconds, temporary_server
from mirpipe import audio
from mirpipe.db.engine import engine
from mirpipe.music.features import melody_pitch_classes, note_transcription
from mirpipe.music.metrics import (
    aligned_melody,
    melody_accuracy,
    melody_chance_correction,
    melody_offset,
)
from mirpipe.records import MonoMix
from mirpipe.settings import PROJECT
from mirpipe.stages.analyse import analyse
from mirpipe.stages.evaluate import evaluate
from mirpipe.stages.ingest import ingest
from tests.music.metrics.course_definition import course_accuracy

DEMO = PROJECT / "demo"
SAMPLED_PAIRS = 12
"""Number of pairs that are computed without stored melodies. All pairs would take half an hour."""

Results = list[tuple[str, float, str]]


def run() -> Results:
    """Return name, value and unit of each measurement. This takes three minutes."""
    with temporary_server():
        for collection in ("reference", "target"):
            ingest([DEMO / collection], collection=collection)  # type: ignore[arg-type]
        paths = _paths()
        all_pairs = list(itertools.combinations(sorted(paths), 2))
        indices = np.random.default_rng(0).choice(len(all_pairs), SAMPLED_PAIRS, replace=False)
        sampled = [tuple(paths[track_id] for track_id in all_pairs[index]) for index in indices]
        _warm_up(sampled[0])
        before = _measure_straightforward(sampled[: SAMPLED_PAIRS // 2])
        _set_pairs(all_pairs)
        analyse_seconds = _cpu_seconds(lambda: analyse(batch_tracks=64))
        course_stored, all_stored = _measure_from_storage()
        after = _measure_straightforward(sampled[SAMPLED_PAIRS // 2 :])
    course_per_pair, all_per_pair = (
        (first_half + second_half) / SAMPLED_PAIRS
        for first_half, second_half in zip(before, after, strict=True)
    )
    n, pairs = len(paths), len(all_pairs)
    course_cold = _transcription_seconds(list(paths.values())) + course_stored
    all_cold = analyse_seconds + all_stored
    course, metrics = course_per_pair * pairs, all_per_pair * pairs
    return [
        ("course melody accuracy, decoding both tracks of each pair", pairs / course, "pairs/s"),
        (f"the same from storage, {pairs:,} pairs of {n} tracks", pairs / course_stored, "pairs/s"),
        ("the same cold, including computing the melodies", pairs / course_cold, "pairs/s"),
        ("from storage ÷ decoding", course / course_stored, "×"),
        ("cold ÷ decoding", course / course_cold, "×"),
        (f"cold, share of the limit of {n - 1} times", 100 * course / course_cold / (n - 1), "%"),
        ("all melody metrics, decoding both tracks of each pair", pairs / metrics, "pairs/s"),
        ("the same from storage", pairs / all_stored, "pairs/s"),
        ("the same cold, including computing the features", pairs / all_cold, "pairs/s"),
        ("all from storage ÷ decoding", metrics / all_stored, "×"),
        ("all cold ÷ decoding", metrics / all_cold, "×"),
        (f"analyse, {n} tracks of 15 s", analyse_seconds, "CPU-s"),
    ]


def _measure_straightforward(pairs: Sequence[tuple[Path, Path]]) -> tuple[float, float]:
    """Return the CPU seconds for these pairs: course accuracy alone, and all melody metrics."""
    course = sum(_cpu_seconds(lambda pair=pair: course_accuracy(*pair)) for pair in pairs)  # type: ignore[misc]
    metrics = sum(_cpu_seconds(lambda pair=pair: _all_metrics(*pair)) for pair in pairs)  # type: ignore[misc]
    return course, metrics


def _all_metrics(target: Path, reference: Path) -> None:
    classes, played = [], []
    for path in (target, reference):
        samples = audio.load_mono(path, melody_pitch_classes.SAMPLE_RATE, mix=MonoMix())
        found = melody_pitch_classes.transcribe_melody(samples).pitch_classes
        assert found is not None
        classes.append(found)
        played.append(note_transcription.transcribe(samples, melody_pitch_classes.SAMPLE_RATE))
    melody_accuracy.accuracy(*classes)
    melody_chance_correction.correct_for_chance(*classes)
    melody_offset.best_offset(*classes)
    aligned_melody.similarity(*played)


def _warm_up(pair: tuple[Path, Path]) -> None:
    """Import and compile everything, so that imports and compilation are not measured."""
    course_accuracy(*pair)
    _all_metrics(*pair)


def _paths() -> dict[int, Path]:
    with engine("app").connect() as connection:
        rows = connection.execute(text("SELECT track_id, path_text FROM mirpipe.track_file"))
        return {row.track_id: Path(row.path_text) for row in rows}


def _set_pairs(pairs: Sequence[tuple[int, int]]) -> None:
    """Let the stage compare these pairs instead of matches and clips."""
    with engine("owner").begin() as connection:
        connection.execute(
            text("CREATE TABLE mirpipe.benchmark_pair (target_id bigint, reference_id bigint)")
        )
        connection.execute(text("GRANT SELECT ON mirpipe.benchmark_pair TO mirpipe_app"))
        connection.execute(
            text("INSERT INTO mirpipe.benchmark_pair VALUES (:target, :reference)"),
            [{"target": target, "reference": reference} for target, reference in pairs],
        )
        connection.execute(
            text(
                "CREATE OR REPLACE VIEW mirpipe.wanted_pair AS SELECT target_id, reference_id, "
                "CAST(NULL AS bigint) AS excerpt_id FROM mirpipe.benchmark_pair"
            )
        )


def _measure_from_storage() -> tuple[float, float]:
    """Return the seconds for the melody accuracy alone, and for all metrics, of all pairs.

    Both times include writing the numbers to the database.
    """
    all_metrics = measure_seconds(evaluate)
    with engine("app").begin() as connection:
        connection.execute(
            text(
                "DELETE FROM mirpipe.pair_score s USING mirpipe.metric m "
                "WHERE m.metric_id = s.metric_id AND m.name = 'melody_accuracy'"
            )
        )
    return measure_seconds(evaluate), all_metrics


def _transcription_seconds(paths: Sequence[Path]) -> float:
    """Return the CPU seconds for transcribing each track's melody once, one track after another."""
    return _cpu_seconds(
        lambda: [
            melody_pitch_classes.transcribe_melody(
                audio.load_mono(path, melody_pitch_classes.SAMPLE_RATE, mix=MonoMix())
            )
            for path in paths
        ]
    )


def _cpu_seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started
