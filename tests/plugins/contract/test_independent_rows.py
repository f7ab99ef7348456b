"""Tests that an encoder's row does not depend on the other segments of its batch."""

import numpy as np
import pytest

from mirpipe import registry
from mirpipe.protocols import Encoder
from mirpipe.records import AudioSegment
from tests.plugins.contract.test_encoders import NAMES
from tests.support.synthetic_music import melody

SAME = 0.99999
"""Lowest cosine similarity at which two rows count as the same."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("random_weights")
def test_a_row_is_the_same_alone_and_in_a_batch(name: str) -> None:
    encoder: Encoder = registry.ENCODERS.load(name)
    promises_equal_bytes = getattr(encoder, "rows_are_independent", False)
    spec = registry.ENCODERS.spec(name)
    seconds = spec.window_samples / spec.sample_rate
    segments = [
        AudioSegment(melody(seconds * windows, spec.sample_rate, seed=seed), spec.sample_rate)
        for seed, windows in enumerate([1, 0.5, 1])
    ]
    alone = np.concatenate([encoder.embed([segment]) for segment in segments])
    for order in ([0, 1, 2], [2, 0]):
        in_batch = encoder.embed([segments[index] for index in order])
        if promises_equal_bytes and str(getattr(encoder, "device", "cpu")) == "cpu":
            np.testing.assert_array_equal(in_batch, alone[order])
        cosines = np.sum(in_batch * alone[order], axis=1) / (
            np.linalg.norm(in_batch, axis=1) * np.linalg.norm(alone[order], axis=1)
        )
        assert cosines.min() >= SAME
