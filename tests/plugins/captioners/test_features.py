"""Tests for the captioner `features`, which needs no language model."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.music.captions.contradictions import contradictions
from mirpipe.music.features.key import KEYS
from mirpipe.plugins.captioners.features import (
    PITCHED_INSTRUMENTS,
    SPEC,
    STYLES,
    UNPITCHED_INSTRUMENTS,
    Plugin,
    sentence,
)
from mirpipe.plugins.encoders import musicnn
from mirpipe.records import AudioSegment, CaptionInput, Features, Note, TempoCandidate
from tests.support.synthetic_music import melody

SLOW_SONG = Features(
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
DRUM_LOOP = replace(
    SLOW_SONG,
    tempo_bpm=160.0,
    meter=4,
    key=None,
    key_clarity=None,
    voiced_fraction=0.1,
    notes=(),
    onsets_per_second=6.0,
    brightness_hz=4000.0,
)
UNMEASURABLE = replace(
    DRUM_LOOP,
    tempo_bpm=None,
    meter=None,
    onsets_per_second=0.0,
    brightness_hz=0.0,
    voiced_fraction=0.0,
)

INSTRUMENTS = UNPITCHED_INSTRUMENTS | PITCHED_INSTRUMENTS
USED_TAGS = [*STYLES, *(tag for tags_of_name in INSTRUMENTS.values() for tag in tags_of_name)]

tag_probabilities = st.dictionaries(st.sampled_from(USED_TAGS), st.floats(0, 1))
pitched_features = st.builds(
    Features,
    tempo_bpm=st.none() | st.floats(30, 300),
    beat_seconds=st.just(()),
    meter=st.sampled_from([None, 3, 4]),
    key=st.none() | st.sampled_from(KEYS),
    key_clarity=st.floats(0, 1),
    voiced_fraction=st.floats(0.7, 1),
    notes=st.just(SLOW_SONG.notes),
    onsets_per_second=st.floats(0, 30),
    brightness_hz=st.floats(0, 11_025),
    reasons=st.just({}),
)
unpitched_features = pitched_features.map(
    lambda features: replace(features, key=None, voiced_fraction=0.2, notes=())
)


@pytest.mark.parametrize(
    ("features", "tags", "caption"),
    [
        (
            SLOW_SONG,
            {"flute": 0.4, "strings": 0.6, "guitar": 0.2, "classical": 0.5},
            "Slow, dark and sparse classical melodic piece in A minor, around 72 BPM, "
            "three beats to the bar, with strings and flute.",
        ),
        (
            DRUM_LOOP,
            {"drums": 0.5, "guitar": 0.6, "indian": 0.31},
            "Fast, bright and dense Indian percussive piece, around 160 BPM, "
            "four beats to the bar, with drums, without melody.",
        ),
        (
            replace(
                DRUM_LOOP,
                tempo_candidates=(TempoCandidate(80.0, 0.5), TempoCandidate(160.0, 1.0)),
            ),
            {"drums": 0.5},
            "Bright and dense percussive piece, around 80 or 160 BPM, four beats to the bar, with "
            "drums, without melody.",
        ),
        (UNMEASURABLE, {}, "Percussive piece, without melody."),
        (
            replace(SLOW_SONG, key_clarity=0.01, tempo_bpm=None, meter=None),
            {"female": 0.2, "woman": 0.3},
            "Dark and sparse melodic piece, with female vocals.",
        ),
        (
            replace(SLOW_SONG, voiced_fraction=0.4),
            {"piano": 0.5, "harp": 0.4, "flute": 0.6, "cello": 0.3},
            "Slow, dark and sparse piece in A minor, around 72 BPM, three beats to the bar, "
            "with flute, piano and harp.",
        ),
    ],
)
def test_a_caption_describes_the_measured_features(
    features: Features, tags: dict[str, float], caption: str
) -> None:
    assert sentence(features, tags) == caption


@given(st.one_of(pitched_features, unpitched_features), tag_probabilities)
def test_a_caption_never_contradicts_its_features(
    features: Features, tags: dict[str, float]
) -> None:
    assert contradictions(sentence(features, tags), features) == ()


@given(pitched_features, tag_probabilities)
def test_a_caption_does_not_mention_missing_features(
    features: Features, tags: dict[str, float]
) -> None:
    caption = sentence(replace(features, tempo_bpm=None, meter=None, key=None), tags)
    assert not re.search(r"\d|BPM|slow|fast|tempo|beats|major|minor", caption, re.IGNORECASE)


def test_the_tagger_has_every_tag_of_the_vocabulary() -> None:
    assert set(USED_TAGS) <= set(musicnn.Plugin().tag_names)


def test_the_level_of_the_window_has_no_influence() -> None:
    tune = melody(7, SPEC.sample_rate)
    loud, soft = (
        CaptionInput(AudioSegment(tune * gain, SPEC.sample_rate), SLOW_SONG) for gain in (1.0, 0.01)
    )
    captions = Plugin().caption([loud, soft])
    assert captions[0] == captions[1]


@pytest.mark.parametrize("samples", [0, 1, 16_000])
def test_the_caption_of_a_silent_window_has_no_tags(samples: int) -> None:
    silence = AudioSegment(np.zeros(samples, np.float32), SPEC.sample_rate)
    (caption,) = Plugin().caption([CaptionInput(silence, SLOW_SONG)])
    assert caption == sentence(SLOW_SONG, {})
