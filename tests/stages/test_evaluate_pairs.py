"""Scores of pairs: made from stored melodies, once, whatever the blocks and whoever was killed."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from mirpipe.metrics import melody
from mirpipe.stages import evaluate as stage
from mirpipe.stages.evaluate import EvaluateResult, evaluate_pairs
from tests.conftest import Database
from tests.synthetic_library import SyntheticLibrary


class Answers(SyntheticLibrary):
    """Tracks with made-up melodies, and neighbour lists that name them."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.app)
        metrics = stage._register()
        self.melody_id = metrics.melody_id

    def track(self, collection: str, title: str, classes: list[int] | np.ndarray | str) -> int:
        """A track with these pitch classes, or with this reason for none."""
        track_id = self.add(collection, title)
        self.melody(track_id, classes)
        return track_id

    def melody(self, track_id: int, classes: list[int] | np.ndarray | str) -> None:
        missing = isinstance(classes, str)
        packed = None if missing else melody.pack(np.asarray(classes, dtype=np.uint8))
        self.run(
            "INSERT INTO mirpipe.melody VALUES "
            "(:metric_id, :track_id, :frames, :packed, :fraction, :voiced, :reason)",
            metric_id=self.melody_id,
            track_id=track_id,
            frames=None if missing else len(classes),
            packed=packed,
            fraction=None if missing else 1.0,
            voiced=None if missing else True,
            reason=classes if missing else None,
        )

    def answer(self, target: int, *references: int) -> None:
        for rank, reference in enumerate(references):
            self.run(
                "INSERT INTO mirpipe.neighbour VALUES (:encoder_id, :target, :reference, :cosine)",
                encoder_id=self.encoder_id,
                target=target,
                reference=reference,
                cosine=0.9 - rank / 100,
            )

    def scores(self) -> list[tuple]:
        return self.rows(
            "SELECT t.title, r.title, value, p.reason FROM mirpipe.pair_score p "
            "JOIN mirpipe.track t ON t.track_id = target_id "
            "JOIN mirpipe.track r ON r.track_id = reference_id ORDER BY 1, 2"
        )


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

    assert evaluate_pairs() == EvaluateResult(measured=3, undefined=0, rejected=0, failed=0)

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

    assert evaluate_pairs() == EvaluateResult(measured=1, undefined=3, rejected=0, failed=0)

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
    assert evaluate_pairs() == EvaluateResult(0, 0, 0, 0)

    answers.melody(reference, [0, 2])

    assert evaluate_pairs().measured == 1
    assert answers.scores() == [("t", "r", 0.5, None)]


def test_pairs_are_compared_without_audio_and_once(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(stage.audio, "load_mono")
    answers.answer(answers.track("target", "t", [0]), answers.track("reference", "r", [0]))

    assert evaluate_pairs().measured == 1
    assert evaluate_pairs() == EvaluateResult(0, 0, 0, 0)


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

    result = evaluate_pairs(progress=lambda done, total: seen.append((done, total)))

    assert result.measured == len(expected) == 140
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
        return evaluate_pairs()

    with ThreadPoolExecutor(2) as pool:
        results = [run.result(timeout=60) for run in [pool.submit(run), pool.submit(run)]]

    assert sum(result.measured for result in results) >= len(expected)
    assert scored(answers) == expected


def test_a_killed_run_is_finished_by_the_next(answers: Answers, fresh_database: Database) -> None:
    expected = random_answers(answers)
    code = """
import os, signal
from mirpipe.stages import evaluate
evaluate.PAIRS_PER_BLOCK = 10
die = lambda done, total: done >= 30 and os.kill(os.getpid(), signal.SIGKILL)
evaluate.evaluate_pairs(progress=die)
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert killed.returncode == -9
    assert len(scored(answers)) == 30

    assert evaluate_pairs().measured == 110
    assert scored(answers) == expected


def test_a_new_melody_revision_is_compared_anew(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    random_answers(answers, targets=2)
    evaluate_pairs()
    monkeypatch.setattr(melody, "MELODY", replace(melody.MELODY, version=2))
    monkeypatch.setattr(melody, "ACCURACY", replace(melody.ACCURACY, version=2))

    assert evaluate_pairs() == EvaluateResult(0, 0, 0, 0)  # no melodies of that revision yet
    metrics = stage._register()
    answers.run(
        "INSERT INTO mirpipe.melody SELECT :new, track_id, frames, pitch_classes, "
        "voiced_fraction, voiced, reason FROM mirpipe.melody WHERE metric_id = :old",
        new=metrics.melody_id,
        old=answers.melody_id,
    )
    assert evaluate_pairs().measured == 14
