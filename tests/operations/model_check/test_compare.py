"""A check passes if mirpipe agrees with the library and with itself; the facts do not count."""

from dataclasses import replace

import numpy as np
import pytest

from mirpipe import registry
from mirpipe.operations.model_check.check import ModelCheck, compare
from mirpipe.operations.model_check.demo_clips import CLIPS
from mirpipe.operations.model_check.measurement import Measurement
from mirpipe.registry import Plugins

ROWS = np.random.default_rng(0).standard_normal((len(CLIPS), 8))
SCORES = np.full((len(CLIPS), 4), 5.0)


@pytest.fixture(autouse=True)
def _weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the specs without looking for weights."""
    monkeypatch.setattr(Plugins, "spec", lambda kind, name: kind.declared(name))


def measured(rows: np.ndarray, texts: np.ndarray | None = None) -> Measurement:
    return Measurement(
        rows.tolist(),
        None if texts is None else texts.tolist(),
        [],
        seconds=1.0,
        peak_megabytes=100.0,
    )


def check_vectors(library: np.ndarray, *, second: np.ndarray = ROWS) -> ModelCheck:
    return compare("clap", measured(ROWS), measured(second), measured(library))


def check_scores(library: np.ndarray) -> ModelCheck:
    return compare("audiobox_aesthetics", measured(SCORES), measured(SCORES), measured(library))


def test_equal_vectors_pass_although_a_fact_does_not_hold() -> None:
    result = check_vectors(ROWS * 3)
    assert result.cosine == pytest.approx(1)
    assert result.difference is None
    assert result.passed
    flute_like_drums = ROWS.copy()
    flute_like_drums[CLIPS.index("flute")] = ROWS[CLIPS.index("drums")]
    same = measured(flute_like_drums)
    result = compare("clap", same, same, same)
    assert [fact.holds for fact in result.facts] == [False]
    assert result.passed


def test_the_least_similar_clip_decides_about_the_agreement() -> None:
    library = ROWS.copy()
    library[3] = ROWS[4]
    result = check_vectors(library)
    assert not result.agrees
    assert result.is_deterministic
    assert not result.passed


def test_the_smallest_difference_between_two_processes_is_reported() -> None:
    second = ROWS.copy()
    second[0, 0] = np.nextafter(second[0, 0], 1e9)
    result = check_vectors(ROWS, second=second)
    assert result.agrees
    assert not result.is_deterministic
    assert not result.passed


def test_texts_are_compared_between_the_processes() -> None:
    texts = np.ones((1, 8))
    first, second = measured(ROWS, texts), measured(ROWS, texts + 1e-9)
    result = compare("clap", first, second, replace(first, texts=None))
    assert not result.is_deterministic


@pytest.mark.parametrize(("angle", "agrees"), [(0.01, True), (0.1, False)])
def test_texts_are_compared_with_the_library(angle: float, *, agrees: bool) -> None:
    texts, turned = np.zeros((1, 8)), np.zeros((1, 8))
    texts[0, 0] = 2.0
    turned[0, :2] = np.cos(angle), np.sin(angle)
    first = measured(ROWS, texts)
    result = compare("clap", first, first, measured(ROWS, turned))
    assert result.text_cosine == pytest.approx(np.cos(angle))
    assert result.cosine == pytest.approx(1)
    assert result.agrees is agrees
    assert compare("clap", first, first, measured(ROWS)).text_cosine is None


@pytest.mark.parametrize(("difference", "agrees"), [(0.04, True), (0.06, False)])
def test_scores_agree_up_to_a_small_difference(difference: float, *, agrees: bool) -> None:
    library = SCORES.copy()
    library[1, 2] += difference
    result = check_scores(library)
    assert result.cosine is None
    assert result.difference == pytest.approx(difference)
    assert result.agrees is agrees


def test_models_of_every_kind_are_checked() -> None:
    from mirpipe.operations.model_check.check import CHECKED

    kinds = {registry.plugins_of(name).kind for name in CHECKED}
    assert kinds == {kind.kind for kind in registry.KINDS}


def captioned(*captions: str) -> Measurement:
    return Measurement([], None, list(captions), seconds=1.0, peak_megabytes=100.0)


def test_captions_agree_word_for_word() -> None:
    first = captioned("a calm flute", "a drum loop")
    result = compare("qwen2_audio", first, first, captioned("a calm flute", "a drum solo"))
    assert (result.other_captions, result.agrees) == (1, False)
    assert result.is_deterministic
    result = compare("qwen2_audio", first, captioned("a flute", "a drum loop"), first)
    assert (result.other_captions, result.agrees) == (0, True)
    assert not result.is_deterministic


@pytest.mark.parametrize(("second_melody", "holds"), [([1.0, 0.1], False), ([0.0, 1.0], True)])
def test_clips_of_a_generator_are_compared_by_their_samples(
    second_melody: list[float], *, holds: bool
) -> None:
    clips = measured(np.array([[1.0, 0.0], second_melody, [0.5, 0.5]]))
    result = compare("musicgen_melody", clips, clips, clips)
    assert result.cosine == pytest.approx(1)
    assert [fact.holds for fact in result.facts] == [holds]
    other_text_clip = measured(np.array([[1.0, 0.0], second_melody, [0.5, -0.5]]))
    assert not compare("musicgen_melody", clips, clips, other_text_clip).agrees
