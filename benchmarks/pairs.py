"""Melodies of pairs: all pairs of the demo library from storage and cold, beside pair by pair.

The straightforward computation decodes and transcribes both tracks for every pair. Of N tracks it
transcribes each N - 1 times, which bounds what storing can gain cold; from storage there is no such
bound. Course accuracy stands against the same by the definition, all melody metrics against
decoding, transcribing melody and notes, and comparing. Decoding and transcribing take seconds of
the processor, so that what else runs does not matter; pairs from storage take those of the clock,
with the database's work, so that whatever else runs lowers their figures.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import text

from benchmarks.large_library import throw_away_server
from mirpipe import audio
from mirpipe.db.engine import engine
from mirpipe.music.features import note_transcription
from mirpipe.music.metrics import aligned_melody, melody_accuracy, melody_chance_correction
from mirpipe.settings import PROJECT
from mirpipe.stages.analyse import analyse
from mirpipe.stages.evaluate import evaluate
from mirpipe.stages.ingest import ingest
from tests.music.metrics.course_definition import course_accuracy

DEMO = PROJECT / "demo"
SAMPLED_PAIRS = 12
"""Of the straightforward computation, which would take half an hour."""

Measured = list[tuple[str, float, str]]


def run() -> Measured:
    """Name, value and unit of each measurement; takes three minutes."""
    with throw_away_server():
        for collection in ("reference", "target"):
            ingest([DEMO / collection], collection=collection)  # type: ignore[arg-type]
        paths = _paths()
        every = list(itertools.combinations(sorted(paths), 2))
        chosen = np.random.default_rng(0).choice(len(every), SAMPLED_PAIRS, replace=False)
        sampled = [tuple(paths[track_id] for track_id in every[at]) for at in chosen]
        _warm(sampled[0])
        before = _by_hand(sampled[: SAMPLED_PAIRS // 2])
        _ask_for(every)
        analysed = _processor(lambda: analyse(batch_tracks=64))
        accuracies, all_numbers = _stored()
        after = _by_hand(sampled[SAMPLED_PAIRS // 2 :])
    course, whole = (
        (one + other) / SAMPLED_PAIRS for one, other in zip(before, after, strict=True)
    )
    transcribed = _transcribing(list(paths.values()))
    n, pairs = len(paths), len(every)
    cold, all_cold = transcribed + accuracies, analysed + all_numbers
    return [
        ("course melody accuracy, decoding both tracks of a pair", 1 / course, "pairs/s"),
        (f"the same from storage, {pairs:,} pairs of {n} tracks", pairs / accuracies, "pairs/s"),
        ("the same cold, melodies included", pairs / cold, "pairs/s"),
        ("from storage ÷ decoding", course * pairs / accuracies, "×"),
        ("cold ÷ decoding", course * pairs / cold, "×"),
        (f"cold, share of the bound of {n - 1} times", 100 * course * pairs / cold / (n - 1), "%"),
        ("all melody metrics, decoding both tracks of a pair", 1 / whole, "pairs/s"),
        ("the same from storage", pairs / all_numbers, "pairs/s"),
        ("the same cold, features included", pairs / all_cold, "pairs/s"),
        ("all from storage ÷ decoding", whole * pairs / all_numbers, "×"),
        ("all cold ÷ decoding", whole * pairs / all_cold, "×"),
        (f"analyse, {n} tracks of 15 s", analysed, "CPU-s"),
    ]  # fmt: skip


def _by_hand(sampled: Sequence[tuple[Path, Path]]) -> tuple[float, float]:
    """Seconds of course accuracy, and of all melody metrics, over these pairs."""
    course = sum(_processor(lambda pair=pair: course_accuracy(*pair)) for pair in sampled)  # type: ignore[misc]
    whole = sum(_processor(lambda pair=pair: _all_metrics(*pair)) for pair in sampled)  # type: ignore[misc]
    return course, whole


def _all_metrics(target: Path, reference: Path) -> None:
    classes, played = [], []
    for path in (target, reference):
        samples = audio.load_mono(path, melody_accuracy.SAMPLE_RATE)
        found = melody_accuracy.transcribe(samples).pitch_classes
        assert found is not None
        classes.append(found)
        played.append(note_transcription.transcribe(samples, melody_accuracy.SAMPLE_RATE))
    melody_accuracy.accuracy(*classes)
    melody_chance_correction.beside_chance(*classes)
    aligned_melody.similarity(*played)


def _warm(pair: tuple[Path, Path]) -> None:
    """Imports and compiles, which no pair takes part in."""
    course_accuracy(*pair)
    _all_metrics(*pair)


def _paths() -> dict[int, Path]:
    with engine("app").connect() as connection:
        rows = connection.execute(text("SELECT track_id, path_text FROM mirpipe.track_file"))
        return {row.track_id: Path(row.path_text) for row in rows}


def _ask_for(every: Sequence[tuple[int, int]]) -> None:
    """Makes these the pairs that are compared, in place of answers and clips."""
    with engine("owner").begin() as connection:
        connection.execute(
            text("CREATE TABLE mirpipe.asked (target_id bigint, reference_id bigint)")
        )
        connection.execute(text("GRANT SELECT ON mirpipe.asked TO mirpipe_app"))
        connection.execute(
            text("INSERT INTO mirpipe.asked VALUES (:target, :reference)"),
            [{"target": target, "reference": reference} for target, reference in every],
        )
        connection.execute(
            text("CREATE OR REPLACE VIEW mirpipe.wanted_pair AS SELECT * FROM mirpipe.asked")
        )


def _stored() -> tuple[float, float]:
    """Seconds of melody accuracy alone, and of all numbers, of all pairs, written included."""
    all_numbers = _seconds(evaluate)
    with engine("app").begin() as connection:
        connection.execute(
            text(
                "DELETE FROM mirpipe.pair_score s USING mirpipe.metric m "
                "WHERE m.metric_id = s.metric_id AND m.name = 'melody_accuracy'"
            )
        )
    return _seconds(evaluate), all_numbers


def _transcribing(paths: Sequence[Path]) -> float:
    """Seconds of one melody a track, one after the other as the straightforward way goes."""
    return _processor(
        lambda: [
            melody_accuracy.transcribe(audio.load_mono(path, melody_accuracy.SAMPLE_RATE))
            for path in paths
        ]
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _processor(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
