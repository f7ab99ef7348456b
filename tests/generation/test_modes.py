"""Tests for the modes in which clips are generated, and for each mode's prompt."""

from dataclasses import replace

import pytest

from mirpipe.generation.modes import MODES, Mode, modes_for_generator
from mirpipe.generation.prompts import build_prompt, prompt_template
from mirpipe.records import Features, TempoCandidate


def features(*, tempo_bpm: float | None = 119.6, meter: int | None = 4) -> Features:
    return Features(
        tempo_bpm=tempo_bpm,
        beat_seconds=(),
        meter=meter,
        key="A minor",
        key_clarity=0.5,
        voiced_fraction=1.0,
        notes=(),
        onsets_per_second=2.0,
        brightness_hz=2000.0,
        reasons={},
    )


def test_simple_has_the_caption_only_and_strong_has_more_guidance() -> None:
    assert [(mode.name, mode.is_conditioned, mode.guidance) for mode in MODES] == [
        ("simple", False, 3.0),
        ("medium", True, 3.0),
        ("strong", True, 5.0),
    ]


def test_a_sweep_adds_conditioned_modes() -> None:
    modes = modes_for_generator(MODES, [1.0, 3.0, 1.0], has_guidance=True)
    assert modes[:3] == list(MODES)
    assert modes[3:] == [Mode("sweep", True, 1.0), Mode("sweep", True, 3.0)]


def test_a_generator_without_guidance_has_one_mode_per_name() -> None:
    repeated = [*MODES, Mode("strong", True, 9.0)]
    modes = modes_for_generator(repeated, [1.0], has_guidance=False)
    assert modes == [
        Mode("simple", False, None),
        Mode("medium", True, None),
        Mode("strong", True, None),
    ]


def test_the_prompt_without_conditioning_is_the_unchanged_caption() -> None:
    prompt, parts = build_prompt(" A waltz.. ", features(), is_conditioned=False)
    assert (prompt, parts) == (" A waltz.. ", {"caption": " A waltz.. "})


@pytest.mark.parametrize(
    ("tempo_bpm", "meter", "expected"),
    [
        (119.6, 4, "A waltz. 120 BPM, 4 beats per bar."),
        (None, 3, "A waltz. 3 beats per bar."),
        (84.4, None, "A waltz. 84 BPM."),
        (None, None, "A waltz."),
    ],
)
def test_the_prompt_with_conditioning_adds_tempo_and_meter_if_they_are_known(
    tempo_bpm: float | None, meter: int | None, expected: str
) -> None:
    measured = features(tempo_bpm=tempo_bpm, meter=meter)
    prompt, parts = build_prompt("A waltz.", measured, is_conditioned=True)
    assert prompt == expected
    assert parts["caption"] == "A waltz."
    assert set(parts) - {"caption"} == {
        name for name, value in (("tempo", tempo_bpm), ("meter", meter)) if value is not None
    }


@pytest.mark.parametrize("tempo_bpm", [75.0, 150.0])
def test_the_prompt_is_the_same_for_both_octaves_of_an_ambiguous_tempo(tempo_bpm: float) -> None:
    strengths = {75.0: 0.7, 150.0: 0.7, 300.0: 0.1} | {tempo_bpm: 1.0}
    candidates = tuple(TempoCandidate(bpm, strength) for bpm, strength in strengths.items())
    measured = replace(features(tempo_bpm=tempo_bpm, meter=None), tempo_candidates=candidates)
    prompt, _ = build_prompt("A waltz.", measured, is_conditioned=True)
    assert prompt == "A waltz. 75 or 150 BPM."


def test_only_the_template_with_conditioning_names_the_conditioning_audio() -> None:
    assert prompt_template(is_conditioned=False) == "caption"
    assert "conditioning" in prompt_template(is_conditioned=True)
