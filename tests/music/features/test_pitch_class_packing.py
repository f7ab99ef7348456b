"""Pitch classes are packed without loss, with two frames per byte."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirpipe.music.features.pitch_class_packing import pack_pitch_classes, unpack_pitch_classes


@given(arrays(np.uint8, st.integers(1, 300), elements=st.integers(0, 11)))
def test_unpacked_pitch_classes_equal_the_packed_ones(pitch_classes: np.ndarray) -> None:
    packed = pack_pitch_classes(pitch_classes)
    assert len(packed) == (len(pitch_classes) + 1) // 2
    np.testing.assert_array_equal(unpack_pitch_classes(packed, len(pitch_classes)), pitch_classes)


def test_first_of_two_frames_is_in_the_high_half() -> None:
    assert pack_pitch_classes(np.array([11, 2, 7], dtype=np.uint8)) == bytes([0xB2, 0x70])


def test_wrong_number_of_bytes_is_an_error() -> None:
    with pytest.raises(ValueError, match="5 frames need 3 bytes, not 2"):
        unpack_pitch_classes(b"\x00\x00", 5)
