"""What every target is made in, and the words of each mode."""

import pytest

from mirpipe.generation.modes import MODES, Mode, modes_for
from mirpipe.generation.prompts import prompt, template
from mirpipe.records import Features


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


def test_the_modes_are_those_of_the_definition() -> None:
    assert [(mode.name, mode.is_conditioned, mode.guidance) for mode in MODES] == [
        ("simple", False, 3.0),
        ("medium", True, 3.0),
        ("strong", True, 5.0),
    ]


def test_a_sweep_adds_conditioned_modes() -> None:
    made = modes_for(MODES, [1.0, 3.0, 1.0], has_guidance=True)
    assert made[:3] == list(MODES)
    assert made[3:] == [Mode("sweep", True, 1.0), Mode("sweep", True, 3.0)]


def test_without_guidance_each_name_is_one_mode() -> None:
    twice = [*MODES, Mode("strong", True, 9.0)]
    made = modes_for(twice, [1.0], has_guidance=False)
    assert made == [
        Mode("simple", False, None),
        Mode("medium", True, None),
        Mode("strong", True, None),
    ]


def test_simple_is_the_caption_verbatim() -> None:
    words, parts = prompt(" A waltz.. ", features(), is_conditioned=False)
    assert (words, parts) == (" A waltz.. ", {"caption": " A waltz.. "})


@pytest.mark.parametrize(
    ("tempo_bpm", "meter", "words"),
    [
        (119.6, 4, "A waltz. 120 BPM, 4 beats per bar."),
        (None, 3, "A waltz. 3 beats per bar."),
        (84.4, None, "A waltz. 84 BPM."),
        (None, None, "A waltz."),
    ],
)
def test_conditioned_modes_add_what_was_measured(
    tempo_bpm: float | None, meter: int | None, words: str
) -> None:
    measured = features(tempo_bpm=tempo_bpm, meter=meter)
    said, parts = prompt("A waltz.", measured, is_conditioned=True)
    assert said == words
    assert parts["caption"] == "A waltz."
    assert set(parts) - {"caption"} == {
        name for name, value in (("tempo", tempo_bpm), ("meter", meter)) if value is not None
    }


def test_only_what_a_mode_hears_is_in_its_template() -> None:
    assert template(is_conditioned=False) == "caption"
    assert "conditioning" in template(is_conditioned=True)
