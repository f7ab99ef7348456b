"""Features survive being stored."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirpipe.music.features import from_row, measure, to_row
from mirpipe.music.features.row_format import pack, unpack
from mirpipe.records import Features, Note
from tests.support.synthetic_music import melody

seconds = st.floats(0, 600, width=32)
maybe = st.one_of(st.none(), st.floats(0, 500))
notes = st.lists(
    st.builds(
        Note,
        onset_seconds=seconds,
        offset_seconds=seconds,
        pitch=st.integers(0, 127),
        velocity=st.integers(0, 127).map(lambda velocity: velocity / 127),
    )
).map(tuple)
anything = st.builds(
    Features,
    tempo_bpm=maybe,
    beat_seconds=st.lists(st.floats(0, 600)).map(tuple),
    meter=st.one_of(st.none(), st.integers(2, 12)),
    key=st.one_of(st.none(), st.sampled_from(["A minor", "Bb major"])),
    key_clarity=st.one_of(st.none(), st.floats(0, 1)),
    voiced_fraction=st.floats(0, 1),
    notes=notes,
    onsets_per_second=st.floats(0, 40),
    brightness_hz=st.floats(0, 11_025),
    reasons=st.dictionaries(st.sampled_from(["key", "meter"]), st.text()),
)


@given(anything)
@settings(max_examples=100, deadline=None)
def test_features_come_back_as_they_were(features: Features) -> None:
    assert from_row(to_row(features)) == features


def test_what_is_measured_comes_back_to_the_bit() -> None:
    features = measure(melody(5, 44_100))
    assert features.notes
    assert from_row(to_row(features)) == features


def test_a_row_holds_plain_values_alone() -> None:
    row = to_row(measure(melody(5, 44_100)))
    assert isinstance(row.pop("notes"), bytes)
    assert json.loads(json.dumps(row)) == row
    assert all(type(beat) is float for beat in row["beat_seconds"])


def test_a_driver_may_hand_notes_back_as_a_view_and_more_columns() -> None:
    features = measure(melody(3, 44_100))
    row = to_row(features)
    assert from_row(row | {"notes": memoryview(row["notes"]), "track_id": 1}) == features


def test_a_note_is_ten_bytes_of_a_known_layout() -> None:
    packed = pack([Note(1.5, 2.0, 69, 1.0)])
    assert packed == np.float32([1.5, 2.0]).tobytes() + bytes([69, 127])


def test_bytes_that_are_no_whole_notes_are_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        unpack(b"12345")
