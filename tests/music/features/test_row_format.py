"""Stored features are equal to the measured features."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirpipe.music.features import from_row, measure, to_row
from mirpipe.music.features.row_format import pack_notes, unpack_notes
from mirpipe.records import Features, Note
from tests.support.synthetic_music import melody

SECONDS = st.floats(0, 600, width=32)
OPTIONAL_NUMBER = st.one_of(st.none(), st.floats(0, 500))
NOTES = st.lists(
    st.builds(
        Note,
        onset_seconds=SECONDS,
        offset_seconds=SECONDS,
        pitch=st.integers(0, 127),
        velocity=st.integers(0, 127).map(lambda velocity: velocity / 127),
    )
).map(tuple)
FEATURES = st.builds(
    Features,
    tempo_bpm=OPTIONAL_NUMBER,
    beat_seconds=st.lists(st.floats(0, 600)).map(tuple),
    meter=st.one_of(st.none(), st.integers(2, 12)),
    key=st.one_of(st.none(), st.sampled_from(["A minor", "Bb major"])),
    key_clarity=st.one_of(st.none(), st.floats(0, 1)),
    voiced_fraction=st.floats(0, 1),
    notes=NOTES,
    onsets_per_second=st.floats(0, 40),
    brightness_hz=st.floats(0, 11_025),
    reasons=st.dictionaries(st.sampled_from(["key", "meter"]), st.text()),
)


@given(FEATURES)
@settings(max_examples=100, deadline=None)
def test_features_of_a_row_equal_the_original(features: Features) -> None:
    assert from_row(to_row(features)) == features


def test_measured_features_are_stored_exactly() -> None:
    features = measure(melody(5, 44_100))
    assert features.notes
    assert from_row(to_row(features)) == features


def test_row_contains_only_plain_values() -> None:
    row = to_row(measure(melody(5, 44_100)))
    assert isinstance(row.pop("notes"), bytes)
    assert json.loads(json.dumps(row)) == row
    assert all(type(beat) is float for beat in row["beat_seconds"])


def test_row_may_contain_notes_as_a_memoryview_and_more_columns() -> None:
    features = measure(melody(3, 44_100))
    row = to_row(features)
    assert from_row(row | {"notes": memoryview(row["notes"]), "track_id": 1}) == features


def test_note_takes_ten_bytes_in_a_known_layout() -> None:
    packed = pack_notes([Note(1.5, 2.0, 69, 1.0)])
    assert packed == np.float32([1.5, 2.0]).tobytes() + bytes([69, 127])


def test_incomplete_notes_are_an_error() -> None:
    with pytest.raises(ValueError, match="size"):
        unpack_notes(b"12345")
