"""A row whatever segments stand beside it: alike for every encoder, the same bytes where promised."""

import numpy as np
import pytest

from mirpipe import registry
from mirpipe.protocols import Encoder
from mirpipe.records import AudioSegment
from tests.plugins.contract.test_encoders import NAMES
from tests.support.synthetic_music import melody

SAME = 0.99999


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("random_weights")
def test_a_row_is_what_it_is_alone(name: str) -> None:
    encoder: Encoder = registry.ENCODERS.load(name)
    promised = getattr(encoder, "rows_stand_alone", False)
    spec = registry.ENCODERS.spec(name)
    seconds = spec.window_samples / spec.sample_rate
    segments = [
        AudioSegment(melody(seconds * windows, spec.sample_rate, seed=seed), spec.sample_rate)
        for seed, windows in enumerate([1, 0.5, 1])
    ]
    alone = np.concatenate([encoder.embed([one]) for one in segments])
    for order in ([0, 1, 2], [2, 0]):
        beside = encoder.embed([segments[place] for place in order])
        if promised and str(getattr(encoder, "device", "cpu")) == "cpu":
            np.testing.assert_array_equal(beside, alone[order])
        cosines = np.sum(beside * alone[order], axis=1) / (
            np.linalg.norm(beside, axis=1) * np.linalg.norm(alone[order], axis=1)
        )
        assert cosines.min() >= SAME
