"""Numbers of pairs: made of what is stored, once, whatever the blocks and whoever was killed."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from mirpipe import audio
from mirpipe.db.store import plugin_revisions
from mirpipe.music import features
from mirpipe.music.metrics import aligned_melody, melody_accuracy, melody_chance_correction
from mirpipe.records import Note
from mirpipe.settings import settings
from mirpipe.stages import evaluate as stage
from mirpipe.stages.evaluate import EvaluateResult, evaluate
from tests.music.metrics.test_aligned_melody import tune
from tests.stages.answers import Answers
from tests.support.databases import Database
from tests.support.synthetic_library import SPEC


@pytest.fixture
def answers(fresh_database: Database) -> Answers:
    return Answers(fresh_database)


def test_answers_get_the_share_of_equal_frames(answers: Answers) -> None:
    target = answers.track("target", "t", [0, 1, 2, 3, 4])
    same = answers.track("reference", "same", [0, 1, 2, 3, 4])
    longer = answers.track("reference", "longer", [0, 1, 2, 9, 9, 9, 9])
    shorter = answers.track("reference", "shorter", [5, 1, 2])
    answers.track("reference", "not an answer", [0])
    answers.answer(target, same, longer, shorter)

    assert evaluate() == EvaluateResult(measured=6, undefined=12)

    assert answers.scores() == [
        ("t", "longer", 0.6, None),
        ("t", "same", 1.0, None),
        ("t", "shorter", 2 / 3, None),
    ]


def test_a_side_without_a_melody_gives_its_reason(answers: Answers) -> None:
    target = answers.track("target", "t", [0, 1])
    none = answers.track("target", "none", "longer_than_1200_s")
    short = answers.track("reference", "short", "too_short")
    good = answers.track("reference", "good", [0, 1])
    answers.answer(target, short, good)
    answers.answer(none, short, good)

    assert evaluate() == EvaluateResult(measured=2, undefined=22)

    assert answers.scores() == [
        ("none", "good", None, "longer_than_1200_s"),
        ("none", "short", None, "longer_than_1200_s"),
        ("t", "good", 1.0, None),
        ("t", "short", None, "too_short"),
    ]


def test_a_pair_waits_for_both_melodies(answers: Answers) -> None:
    target = answers.track("target", "t", [0, 1])
    reference = answers.add("reference", "r")
    answers.answer(target, reference)
    assert evaluate() == EvaluateResult(0, 0)

    answers.melody(reference, [0, 2])

    assert evaluate().measured == 2
    assert answers.scores() == [("t", "r", 0.5, None)]


def test_pairs_are_compared_without_audio_and_once(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(audio, "load_mono")
    monkeypatch.delattr(audio, "windows")
    answers.answer(answers.track("target", "t", [0]), answers.track("reference", "r", [0]))

    assert evaluate().measured == 2
    assert evaluate() == EvaluateResult(0, 0)


def long_melody(seed: int, *, frames: int = 2000) -> np.ndarray:
    """Pitch classes of notes of a quarter second."""
    notes = np.random.default_rng(seed).integers(0, 12, frames // 43 + 1)
    return np.repeat(notes, 43)[:frames].astype(np.uint8)


def test_numbers_beside_chance_are_those_of_the_stored_melodies(answers: Answers) -> None:
    one, other = long_melody(0), long_melody(1)
    answers.answer(answers.track("target", "t", one), answers.track("reference", "r", other))

    assert evaluate() == EvaluateResult(measured=6, undefined=0)

    expected = melody_chance_correction.beside_chance(one, other)
    for field, spec in melody_chance_correction.SPECS.items():
        assert answers.scores(spec.name) == [("t", "r", getattr(expected, field).value, None)]
    ((beats, oti_beats),) = answers.rows(
        "SELECT value > 0, oti > 0 FROM (SELECT max(value) FILTER (WHERE metric = "
        "'melody_accuracy_null95') AS value, max(value) FILTER (WHERE metric = 'melody_oti_null95')"
        " AS oti FROM mirpipe.v_pair_score) s"
    )
    assert (beats, oti_beats) == (True, True)


def test_only_the_course_accuracy_of_an_unpitched_side_is_a_number(answers: Answers) -> None:
    loop = answers.track("reference", "loop", long_melody(1), voiced=False)
    target = answers.track("target", "t", long_melody(0))
    for track_id in (loop, target):
        answers.notes(track_id, tune(0))
    answers.answer(target, loop)

    assert evaluate() == EvaluateResult(measured=1, undefined=6)

    assert answers.scores()[0][2] is not None
    others = [
        *(spec.name for spec in melody_chance_correction.SPECS.values()),
        aligned_melody.ALIGNED.name,
    ]
    for name in others:
        assert answers.scores(name) == [("t", "loop", None, "unpitched")]


def test_aligned_melody_waits_for_the_notes_and_nothing_else_waits_with_it(
    answers: Answers,
) -> None:
    target, reference = (
        answers.track(side, side, long_melody(0)) for side in ("target", "reference")
    )
    answers.answer(target, reference)
    answers.notes(target, tune(0))
    assert evaluate().measured == 6
    assert answers.scores("aligned_melody") == []

    answers.notes(reference, tune(1))

    assert evaluate() == EvaluateResult(measured=1, undefined=0)
    expected = aligned_melody.similarity(stored_as(tune(0)), stored_as(tune(1))).value
    assert answers.scores("aligned_melody") == [("target", "reference", expected, None)]


def stored_as(notes: list[Note]) -> tuple[Note, ...]:
    return features.unpack_notes(features.row_format.pack(notes))


@pytest.fixture
def clap(fresh_database: Database, monkeypatch: pytest.MonkeyPatch) -> Answers:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "musicnn,clap")
    settings.cache_clear()
    return Answers(fresh_database, name="clap")


def test_clap_similarity_is_the_cosine_of_stored_vectors(clap: Answers) -> None:
    target = clap.add("target", "t", [1, 0, 0])
    reference = clap.add("reference", "r", [3, 4, 0])
    clap.answer(target, reference)

    assert evaluate() == EvaluateResult(measured=1, undefined=0)

    ((_, _, value, _),) = clap.scores("clap_similarity")
    assert value == pytest.approx(0.6, abs=1e-6)
    assert evaluate() == EvaluateResult(0, 0)
    (marks,) = clap.rows(
        "SELECT revision <> '', licence_weights, random, checkpoint FROM mirpipe.v_pair_score"
    )
    assert marks == (True, "none", False, "none")


def test_clap_similarity_waits_for_vectors_that_can_come_and_says_why_others_cannot(
    clap: Answers,
) -> None:
    target = clap.add("target", "t", [1, 0, 0])
    silent, late = clap.add("reference", "silent"), clap.add("reference", "late")
    clap.answer(target, silent, late)
    clap.run(
        "INSERT INTO mirpipe.failure (stage, revision, subject, track_id, reason, message, retry) "
        "VALUES ('embed', 'r1', 'x', :silent, 'zero_vector', '', false), "
        "('embed', 'r1', 'y', :late, 'OSError', '', true)",
        silent=silent,
        late=late,
    )

    assert evaluate() == EvaluateResult(measured=0, undefined=1)
    assert clap.scores("clap_similarity") == [("t", "silent", None, "zero_vector")]

    clap.embed(late, [1, 0, 0])
    assert evaluate() == EvaluateResult(measured=1, undefined=0)


def test_without_a_wanted_clap_nothing_is_missing_and_what_was_made_stays(
    clap: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    clap.answer(clap.add("target", "t", [1, 0, 0]), clap.add("reference", "r", [1, 0, 0]))
    evaluate()
    clap.run("DELETE FROM mirpipe.pair_score")
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


def test_clap_similarities_of_a_new_revision_are_shown_when_it_answers(clap: Answers) -> None:
    serve = "INSERT INTO mirpipe.serving_revision SELECT 'clap', :encoder_id "
    serve += "ON CONFLICT (name) DO UPDATE SET encoder_id = excluded.encoder_id"
    clap.answer(clap.add("target", "t", [1, 0, 0]), clap.add("reference", "r", [1, 0, 0]))
    clap.run(serve, encoder_id=clap.encoder_id)
    evaluate()
    [(_, _, value, _)] = clap.scores("clap_similarity")
    assert value == pytest.approx(1.0)

    with clap.app.begin() as connection:
        new = plugin_revisions.register_encoder(connection, replace(SPEC, name="clap"), "r2")
    assert evaluate() == EvaluateResult(0, 0)  # its vectors are still to come
    assert len(clap.scores("clap_similarity")) == 1
    clap.run(serve, encoder_id=new)
    assert clap.scores("clap_similarity") == []


def random_answers(answers: Answers, *, targets: int = 20, references: int = 12) -> dict:
    """Answers of random melodies; by titles, the accuracies they should get."""
    random = np.random.default_rng(0)
    sides: dict[str, dict[int, np.ndarray]] = {"target": {}, "reference": {}}
    for side, number in (("target", targets), ("reference", references)):
        for n in range(number):
            classes = random.integers(0, 12, random.integers(1, 200), dtype=np.uint8)
            sides[side][answers.track(side, f"{side} {n}", classes)] = classes
    names = dict(answers.rows("SELECT track_id, title FROM mirpipe.track"))
    expected = {}
    for target, t in sides["target"].items():
        chosen = [int(r) for r in random.choice(list(sides["reference"]), 7, replace=False)]
        answers.answer(target, *chosen)
        for reference in chosen:
            r = sides["reference"][reference]
            n = min(len(t), len(r))
            expected[names[target], names[reference]] = float(np.mean(t[:n] == r[:n]))
    return expected


def scored(answers: Answers) -> dict:
    return {(target, reference): value for target, reference, value, _ in answers.scores()}


@pytest.mark.parametrize("block", [1, 7, 13, 1000])
def test_any_block_size_gives_the_same_scores(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    expected = random_answers(answers)
    monkeypatch.setattr(stage, "PAIRS_PER_BLOCK", block)
    seen: list[tuple[int, int]] = []

    result = evaluate(progress=lambda done, total: seen.append((done, total)))

    assert (result.measured, result.undefined) == (2 * 140, 4 * 140)
    assert scored(answers) == expected
    assert seen[-1] == (140, 140)
    assert len(seen) == -(-140 // block)


def test_two_at_once_write_every_score_once(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = random_answers(answers)
    monkeypatch.setattr(stage, "PAIRS_PER_BLOCK", 5)
    together = threading.Barrier(2, timeout=30)

    def run() -> EvaluateResult:
        together.wait()
        return evaluate()

    with ThreadPoolExecutor(2) as pool:
        results = [run.result(timeout=60) for run in [pool.submit(run), pool.submit(run)]]

    assert sum(result.measured for result in results) >= 2 * len(expected)
    assert scored(answers) == expected


def test_a_killed_run_is_finished_by_the_next(answers: Answers, fresh_database: Database) -> None:
    expected = random_answers(answers)
    code = """
import os, signal
from mirpipe.stages import evaluate
evaluate.PAIRS_PER_BLOCK = 10
die = lambda done, total: done >= 30 and os.kill(os.getpid(), signal.SIGKILL)
evaluate.evaluate(progress=die)
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert killed.returncode == -9
    assert len(scored(answers)) == 30

    assert evaluate().measured == 2 * 110
    assert scored(answers) == expected


def test_a_new_melody_revision_is_compared_anew(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    random_answers(answers, targets=2)
    evaluate()
    monkeypatch.setattr(melody_accuracy, "MELODY", replace(melody_accuracy.MELODY, version=2))
    monkeypatch.setattr(melody_accuracy, "ACCURACY", replace(melody_accuracy.ACCURACY, version=2))

    assert evaluate() == EvaluateResult(0, 0)  # no melodies of that revision yet
    metrics = stage.register()
    answers.run(
        "INSERT INTO mirpipe.melody SELECT :new, track_id, frames, pitch_classes, "
        "voiced_fraction, voiced, reason FROM mirpipe.melody WHERE metric_id = :old",
        new=metrics.melody,
        old=answers.melody_id,
    )
    assert evaluate().measured == 2 * 14
