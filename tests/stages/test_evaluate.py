"""Pair scores are computed from stored data, and only once, even after a run is killed."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe import audio
from mirpipe.db.store import plugin_revisions
from mirpipe.generation.modes import MODES
from mirpipe.music import features
from mirpipe.music.features import melody_pitch_classes
from mirpipe.music.metrics import (
    aligned_melody,
    melody_accuracy,
    melody_chance_correction,
    melody_offset,
)
from mirpipe.records import Note
from mirpipe.settings import settings
from mirpipe.stages import evaluate as stage
from mirpipe.stages.evaluate import EvaluateResult, evaluate
from tests.dashboard.example_clips import Maker, describe, make
from tests.music.metrics.test_aligned_melody import tune
from tests.stages.synthetic_matches import SyntheticMatches
from tests.support.databases import Database
from tests.support.synthetic_library import SPEC


@pytest.fixture
def library(fresh_database: Database) -> SyntheticMatches:
    return SyntheticMatches(fresh_database)


def test_matches_get_the_share_of_equal_frames(library: SyntheticMatches) -> None:
    target = library.add_with_melody("target", "t", [0, 1, 2, 3, 4])
    same = library.add_with_melody("reference", "same", [0, 1, 2, 3, 4])
    longer = library.add_with_melody("reference", "longer", [0, 1, 2, 9, 9, 9, 9])
    shorter = library.add_with_melody("reference", "shorter", [5, 1, 2])
    library.add_with_melody("reference", "no match", [0])
    library.add_matches(target, same, longer, shorter)

    assert evaluate() == EvaluateResult(measured=12, undefined=12)

    assert library.scores() == [
        ("t", "longer", 0.6, None),
        ("t", "same", 1.0, None),
        ("t", "shorter", 2 / 3, None),
    ]


def test_a_track_without_a_melody_gives_its_reason(library: SyntheticMatches) -> None:
    target = library.add_with_melody("target", "t", [0, 1])
    none = library.add_with_melody("target", "none", "longer_than_1200_s")
    short = library.add_with_melody("reference", "short", "too_short")
    good = library.add_with_melody("reference", "good", [0, 1])
    library.add_matches(target, short, good)
    library.add_matches(none, short, good)

    assert evaluate() == EvaluateResult(measured=4, undefined=28)

    assert library.scores() == [
        ("none", "good", None, "longer_than_1200_s"),
        ("none", "short", None, "longer_than_1200_s"),
        ("t", "good", 1.0, None),
        ("t", "short", None, "too_short"),
    ]


def test_a_pair_is_scored_when_both_melodies_are_stored(library: SyntheticMatches) -> None:
    target = library.add_with_melody("target", "t", [0, 1])
    reference = library.add("reference", "r")
    library.add_matches(target, reference)
    assert evaluate() == EvaluateResult(0, 0)

    library.set_melody(reference, [0, 2])

    assert evaluate().measured == 4
    assert library.scores() == [("t", "r", 0.5, None)]


def test_pairs_are_compared_once_and_without_audio(
    library: SyntheticMatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(audio, "load_mono")
    monkeypatch.delattr(audio, "windows")
    library.add_matches(
        library.add_with_melody("target", "t", [0]), library.add_with_melody("reference", "r", [0])
    )

    assert evaluate().measured == 4
    assert evaluate() == EvaluateResult(0, 0)


def long_melody(seed: int, *, frames: int = 2000) -> np.ndarray:
    """Return the pitch classes of random notes, each of which lasts a quarter of a second."""
    notes = np.random.default_rng(seed).integers(0, 12, frames // 43 + 1)
    return np.repeat(notes, 43)[:frames].astype(np.uint8)


def test_chance_correction_uses_the_stored_melodies(library: SyntheticMatches) -> None:
    first, second = long_melody(0), long_melody(1)
    library.add_matches(
        library.add_with_melody("target", "t", first),
        library.add_with_melody("reference", "r", second),
    )

    assert evaluate() == EvaluateResult(measured=8, undefined=0)

    expected = melody_chance_correction.correct_for_chance(first, second)
    for field, spec in melody_chance_correction.SPECS.items():
        assert library.scores(spec.name) == [("t", "r", getattr(expected, field).value, None)]
    ((is_positive, is_oti_positive),) = library.rows(
        "SELECT value > 0, oti > 0 FROM (SELECT max(value) FILTER (WHERE metric = "
        "'melody_accuracy_null95') AS value, max(value) FILTER (WHERE metric = 'melody_oti_null95')"
        " AS oti FROM mirpipe.v_pair_score) s"
    )
    assert (is_positive, is_oti_positive) == (True, True)


def test_the_best_offset_is_stored_and_shown_beside_the_course_accuracy(
    library: SyntheticMatches,
) -> None:
    melody = long_melody(0)
    library.add_matches(
        library.add_with_melody("target", "t", melody[5:]),
        library.add_with_melody("reference", "late", melody),
    )

    evaluate()

    ((accuracy, shifted, offset, reason),) = library.rows(
        "SELECT max(value) FILTER (WHERE metric = 'melody_accuracy'), "
        "max(value) FILTER (WHERE metric = 'melody_accuracy_shifted'), "
        "max(value) FILTER (WHERE metric = 'melody_offset'), max(reason) FROM mirpipe.v_pair_score"
    )
    assert accuracy < 0.95
    assert (shifted, reason) == (1.0, None)
    assert offset == pytest.approx(5 * 256 / 44_100)


def test_an_unpitched_track_has_only_the_course_accuracy(library: SyntheticMatches) -> None:
    loop = library.add_with_melody("reference", "loop", long_melody(1), voiced=False)
    target = library.add_with_melody("target", "t", long_melody(0))
    for track_id in (loop, target):
        library.set_notes(track_id, tune(0))
    library.add_matches(target, loop)

    assert evaluate() == EvaluateResult(measured=1, undefined=8)

    assert library.scores()[0][2] is not None
    other_metrics = [
        *(spec.name for spec in melody_chance_correction.SPECS.values()),
        *(spec.name for spec in melody_offset.SPECS.values()),
        aligned_melody.ALIGNED.name,
    ]
    for name in other_metrics:
        assert library.scores(name) == [("t", "loop", None, "unpitched")]


def test_only_aligned_melody_needs_the_notes(
    library: SyntheticMatches,
) -> None:
    target, reference = (
        library.add_with_melody(side, side, long_melody(0)) for side in ("target", "reference")
    )
    library.add_matches(target, reference)
    library.set_notes(target, tune(0))
    assert evaluate().measured == 8
    assert library.scores("aligned_melody") == []

    library.set_notes(reference, tune(1))

    assert evaluate() == EvaluateResult(measured=1, undefined=0)
    expected = aligned_melody.similarity(store_and_read(tune(0)), store_and_read(tune(1))).value
    assert library.scores("aligned_melody") == [("target", "reference", expected, None)]


def store_and_read(notes: list[Note]) -> tuple[Note, ...]:
    return features.unpack_notes(features.row_format.pack_notes(notes))


@pytest.fixture
def clap(fresh_database: Database, monkeypatch: pytest.MonkeyPatch) -> SyntheticMatches:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "musicnn,clap")
    settings.cache_clear()
    return SyntheticMatches(fresh_database, name="clap")


def test_clap_similarity_is_the_cosine_of_stored_vectors(clap: SyntheticMatches) -> None:
    target = clap.add("target", "t", [1, 0, 0])
    reference = clap.add("reference", "r", [3, 4, 0])
    clap.add_matches(target, reference)

    assert evaluate() == EvaluateResult(measured=1, undefined=0)

    ((_, _, value, _),) = clap.scores("clap_similarity")
    assert value == pytest.approx(0.6, abs=1e-6)
    assert evaluate() == EvaluateResult(0, 0)
    (columns,) = clap.rows(
        "SELECT revision <> '', licence_weights, random, checkpoint FROM mirpipe.v_pair_score"
    )
    assert columns == (True, "none", False, "none")


def test_clap_similarity_is_pending_until_both_vectors_exist_or_one_is_rejected(
    clap: SyntheticMatches,
) -> None:
    target = clap.add("target", "t", [1, 0, 0])
    silent, late = clap.add("reference", "silent"), clap.add("reference", "late")
    clap.add_matches(target, silent, late)
    clap.execute(
        "INSERT INTO mirpipe.failure (stage, revision, subject, track_id, reason, message, retry) "
        "VALUES ('embed', 'r1', 'x', :silent, 'zero_vector', '', false), "
        "('embed', 'r1', 'y', :late, 'OSError', '', true)",
        silent=silent,
        late=late,
    )

    assert evaluate() == EvaluateResult(measured=0, undefined=1)
    assert clap.scores("clap_similarity") == [("t", "silent", None, "zero_vector")]

    clap.set_vector(late, [1, 0, 0])
    assert evaluate() == EvaluateResult(measured=1, undefined=0)


@pytest.fixture
def clip(clap: SyntheticMatches, fresh_database: Database, tmp_path: Path) -> int:
    """A clip of a target of 100 s. Both have a CLAP vector, and the target's excerpt has none."""
    sound = tmp_path / "a.wav"
    sound.write_bytes(b"a clip")
    target = clap.add_with_melody("target", "t", [0, 1])
    clap.set_vector(target, [1, 0, 0])
    clap.set_notes(target, tune(0))
    clap.execute("UPDATE mirpipe.track SET seconds = 100")
    clap.execute("INSERT INTO mirpipe.run (trigger, state_digest, library) VALUES ('', '', '{}')")
    with fresh_database.owner.begin() as connection:
        describe(connection)
        make(connection, [Maker("m", modes=MODES[:1])], tmp_path, sound)
    clap.execute("UPDATE mirpipe.caption SET features_id = :id", id=clap.features_id)
    ((track_id,),) = clap.rows("SELECT track_id FROM mirpipe.generation")
    clap.execute("DELETE FROM mirpipe.pair_score")
    clap.set_vector(track_id, [3, 4, 0])
    return int(track_id)


def test_a_clip_is_compared_with_the_vector_of_the_excerpt(
    clap: SyntheticMatches, clip: int
) -> None:
    assert evaluate() == EvaluateResult(0, 0)
    clap.execute(
        "INSERT INTO mirpipe.excerpt_embedding "
        "SELECT :encoder_id, excerpt_id, :batch_id, '[0,1,0]' FROM mirpipe.excerpt",
        encoder_id=clap.encoder_id,
        batch_id=clap.batch_id,
    )
    assert evaluate() == EvaluateResult(measured=1, undefined=0)
    ((value,),) = clap.rows(
        "SELECT value FROM mirpipe.v_generation_score WHERE metric = 'clap_similarity'"
    )
    assert value == pytest.approx(0.8, abs=1e-6)


def test_a_clip_has_no_similarity_if_the_excerpt_has_no_vector(
    clap: SyntheticMatches, clip: int
) -> None:
    clap.execute(
        "INSERT INTO mirpipe.failure (stage, revision, subject, track_id, reason, message, retry) "
        "SELECT 'embed excerpts', 'r1', 'x', track_id, 'zero_vector', '', false "
        "FROM mirpipe.excerpt"
    )
    assert evaluate() == EvaluateResult(measured=0, undefined=1)
    assert clap.rows("SELECT reason FROM mirpipe.pair_score") == [("zero_vector",)]


def test_without_a_configured_clap_nothing_is_pending_and_stored_scores_stay(
    clap: SyntheticMatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    clap.add_matches(clap.add("target", "t", [1, 0, 0]), clap.add("reference", "r", [1, 0, 0]))
    evaluate()
    clap.execute("DELETE FROM mirpipe.pair_score")
    monkeypatch.setenv("MIRPIPE_ENCODERS", "musicnn")
    settings.cache_clear()
    assert evaluate() == EvaluateResult(0, 0)

    monkeypatch.setenv("MIRPIPE_ENCODERS", "clap")
    settings.cache_clear()
    assert evaluate().measured == 1
    monkeypatch.setenv("MIRPIPE_ENCODERS", "musicnn")
    settings.cache_clear()
    assert evaluate() == EvaluateResult(0, 0)
    assert len(clap.scores("clap_similarity")) == 1


def test_clap_similarities_of_a_new_revision_are_shown_when_it_is_active(
    clap: SyntheticMatches,
) -> None:
    activate = "INSERT INTO mirpipe.serving_revision SELECT 'clap', :encoder_id "
    activate += "ON CONFLICT (name) DO UPDATE SET encoder_id = excluded.encoder_id"
    clap.add_matches(clap.add("target", "t", [1, 0, 0]), clap.add("reference", "r", [1, 0, 0]))
    clap.execute(activate, encoder_id=clap.encoder_id)
    evaluate()
    [(_, _, value, _)] = clap.scores("clap_similarity")
    assert value == pytest.approx(1.0)

    with clap.app.begin() as connection:
        new = plugin_revisions.register_encoder(connection, replace(SPEC, name="clap"), "r2")
    assert evaluate() == EvaluateResult(0, 0)  # The new revision has no vectors yet.
    assert len(clap.scores("clap_similarity")) == 1
    clap.execute(activate, encoder_id=new)
    assert clap.scores("clap_similarity") == []


def test_a_clap_revision_that_waits_does_not_interrupt_the_scores_of_the_active_one(
    clap: SyntheticMatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_PROMOTION", "manual")
    settings.cache_clear()
    clap.execute("INSERT INTO mirpipe.serving_revision VALUES ('clap', :e)", e=clap.encoder_id)
    clap.add_matches(clap.add("target", "t", [1, 0, 0]), clap.add("reference", "r", [1, 0, 0]))
    with clap.app.begin() as connection:
        plugin_revisions.register_encoder(connection, replace(SPEC, name="clap"), "r2")
    assert evaluate().measured == 1
    assert len(clap.scores("clap_similarity")) == 1


def add_random_matches(
    library: SyntheticMatches, *, targets: int = 20, references: int = 12
) -> dict:
    """Add random melodies and matches, and return the expected accuracies by title pair."""
    random = np.random.default_rng(0)
    sides: dict[str, dict[int, np.ndarray]] = {"target": {}, "reference": {}}
    for side, number in (("target", targets), ("reference", references)):
        for n in range(number):
            classes = random.integers(0, 12, random.integers(1, 200), dtype=np.uint8)
            sides[side][library.add_with_melody(side, f"{side} {n}", classes)] = classes
    names = dict(library.rows("SELECT track_id, title FROM mirpipe.track"))
    expected = {}
    for target, t in sides["target"].items():
        chosen = [int(r) for r in random.choice(list(sides["reference"]), 7, replace=False)]
        library.add_matches(target, *chosen)
        for reference in chosen:
            r = sides["reference"][reference]
            n = min(len(t), len(r))
            expected[names[target], names[reference]] = float(np.mean(t[:n] == r[:n]))
    return expected


def scored(library: SyntheticMatches) -> dict:
    return {(target, reference): value for target, reference, value, _ in library.scores()}


@pytest.mark.parametrize("block", [1, 7, 13, 1000])
def test_any_block_size_gives_the_same_scores(
    library: SyntheticMatches, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    expected = add_random_matches(library)
    monkeypatch.setattr(stage, "PAIRS_PER_BLOCK", block)
    seen: list[tuple[int, int]] = []

    result = evaluate(progress=lambda done, total: seen.append((done, total)))

    assert (result.measured, result.undefined) == (4 * 140, 4 * 140)
    assert scored(library) == expected
    assert seen[-1] == (140, 140)
    assert len(seen) == -(-140 // block)


def test_no_transaction_is_open_between_two_blocks(
    library: SyntheticMatches, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_random_matches(library)
    monkeypatch.setattr(stage, "PAIRS_PER_BLOCK", 50)
    open_transactions = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    )
    counts = []

    def count(_done: int, _total: int) -> None:
        with fresh_database.owner.connect() as owner:
            counts.append(owner.execute(open_transactions).scalar_one())

    evaluate(progress=count)
    assert counts == [0, 0, 0]


def test_two_runs_in_parallel_write_every_score_once(
    library: SyntheticMatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = add_random_matches(library)
    monkeypatch.setattr(stage, "PAIRS_PER_BLOCK", 5)
    barrier = threading.Barrier(2, timeout=30)

    def run() -> EvaluateResult:
        barrier.wait()
        return evaluate()

    with ThreadPoolExecutor(2) as pool:
        results = [run.result(timeout=60) for run in [pool.submit(run), pool.submit(run)]]

    assert sum(result.measured for result in results) >= 4 * len(expected)
    assert scored(library) == expected


def test_the_next_run_finishes_after_a_killed_run(
    library: SyntheticMatches, fresh_database: Database
) -> None:
    expected = add_random_matches(library)
    code = """
import os, signal
from mirpipe.stages import evaluate
evaluate.PAIRS_PER_BLOCK = 10
die = lambda done, total: done >= 30 and os.kill(os.getpid(), signal.SIGKILL)
evaluate.evaluate(progress=die)
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert killed.returncode == -9
    assert len(scored(library)) == 30

    assert evaluate().measured == 4 * 110
    assert scored(library) == expected


def test_a_new_melody_revision_is_compared_again(
    library: SyntheticMatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_random_matches(library, targets=2)
    evaluate()
    for module, name in ((melody_pitch_classes, "MELODY"), (melody_accuracy, "ACCURACY")):
        spec = getattr(module, name)
        monkeypatch.setattr(module, name, replace(spec, version=spec.version + 1))

    assert evaluate() == EvaluateResult(0, 0)  # The new revision has no melodies yet.
    metrics = stage.register()
    library.execute(
        "INSERT INTO mirpipe.melody SELECT :new, track_id, frames, pitch_classes, "
        "voiced_fraction, voiced, reason FROM mirpipe.melody WHERE metric_id = :old",
        new=metrics.melody,
        old=library.melody_id,
    )
    assert evaluate().measured == 4 * 14
