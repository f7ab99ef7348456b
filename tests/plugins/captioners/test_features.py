"""The offline captioner's words."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.music.captions.contradictions import contradictions
from mirpipe.music.features.key import KEYS
from mirpipe.plugins.captioners.features import PITCHED, SPEC, STYLES, UNPITCHED, Plugin, sentence
from mirpipe.plugins.encoders import musicnn
from mirpipe.records import AudioSegment, Features, Heard, Note
from tests.support.synthetic_music import melody

LAMENT = Features(
    tempo_bpm=72.4,
    beat_seconds=(0.5, 1.33),
    meter=3,
    key="A minor",
    key_clarity=0.2,
    voiced_fraction=0.9,
    notes=(Note(0, 1, 69, 0.5),),
    onsets_per_second=1.2,
    brightness_hz=900.0,
    reasons={},
)
LOOP = replace(
    LAMENT,
    tempo_bpm=160.0,
    meter=4,
    key=None,
    key_clarity=None,
    voiced_fraction=0.1,
    notes=(),
    onsets_per_second=6.0,
    brightness_hz=4000.0,
)
NOTHING = replace(
    LOOP, tempo_bpm=None, meter=None, onsets_per_second=0.0, brightness_hz=0.0, voiced_fraction=0.0
)

tags = st.dictionaries(
    st.sampled_from([*STYLES, *(tag for of in (UNPITCHED | PITCHED).values() for tag in of)]),
    st.floats(0, 1),
)
anything = st.builds(
    Features,
    tempo_bpm=st.none() | st.floats(30, 300),
    beat_seconds=st.just(()),
    meter=st.sampled_from([None, 3, 4]),
    key=st.none() | st.sampled_from(KEYS),
    key_clarity=st.floats(0, 1),
    voiced_fraction=st.floats(0.7, 1),
    notes=st.just(LAMENT.notes),
    onsets_per_second=st.floats(0, 30),
    brightness_hz=st.floats(0, 11_025),
    reasons=st.just({}),
)
unpitched = anything.map(lambda f: replace(f, key=None, voiced_fraction=0.2, notes=()))


@pytest.mark.parametrize(
    ("features", "heard", "said"),
    [
        (
            LAMENT,
            {"flute": 0.4, "strings": 0.6, "guitar": 0.2, "classical": 0.5},
            "Slow, dark and sparse classical melodic piece in A minor, around 72 BPM, "
            "three beats to the bar, with strings and flute.",
        ),
        (
            LOOP,
            {"drums": 0.5, "guitar": 0.6, "indian": 0.31},
            "Fast, bright and dense Indian percussive piece, around 160 BPM, "
            "four beats to the bar, with drums, without melody.",
        ),
        (NOTHING, {}, "Percussive piece, without melody."),
        (
            replace(LAMENT, key_clarity=0.01, tempo_bpm=None, meter=None),
            {"female": 0.2, "woman": 0.3},
            "Dark and sparse melodic piece, with female vocals.",
        ),
        (
            replace(LAMENT, voiced_fraction=0.4),
            {"piano": 0.5, "harp": 0.4, "flute": 0.6, "cello": 0.3},
            "Slow, dark and sparse piece in A minor, around 72 BPM, three beats to the bar, "
            "with flute, piano and harp.",
        ),
    ],
)
def test_it_says_what_was_measured(features: Features, heard: dict[str, float], said: str) -> None:
    assert sentence(features, heard) == said


@given(st.one_of(anything, unpitched), tags)
def test_a_caption_never_contradicts_what_it_was_made_from(
    features: Features, heard: dict[str, float]
) -> None:
    assert contradictions(sentence(features, heard), features) == ()


@given(anything, tags)
def test_what_was_not_measured_is_not_said(features: Features, heard: dict[str, float]) -> None:
    said = sentence(replace(features, tempo_bpm=None, meter=None, key=None), heard)
    assert not re.search(r"\d|BPM|slow|fast|tempo|beats|major|minor", said, re.IGNORECASE)


def test_every_word_stands_for_tags_that_the_model_knows() -> None:
    known = set(musicnn.Plugin().tag_names)
    assert {*STYLES, *(tag for of in (UNPITCHED | PITCHED).values() for tag in of)} <= known


def test_the_level_of_the_window_does_not_matter() -> None:
    tune = melody(7, SPEC.sample_rate)
    loud, soft = (
        Heard(AudioSegment(tune * gain, SPEC.sample_rate), LAMENT) for gain in (1.0, 0.01)
    )
    said = Plugin().caption([loud, soft])
    assert said[0] == said[1]


@pytest.mark.parametrize("samples", [0, 1, 16_000])
def test_a_silent_window_leaves_what_was_measured(samples: int) -> None:
    silence = AudioSegment(np.zeros(samples, np.float32), SPEC.sample_rate)
    (said,) = Plugin().caption([Heard(silence, LAMENT)])
    assert said == sentence(LAMENT, {})
