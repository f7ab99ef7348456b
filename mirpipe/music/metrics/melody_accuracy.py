"""Melody accuracy: how often two tracks have the same pitch class at the same time.

The accuracy is the share of the shorter track's frames in which both tracks have the same pitch
class, 0 … 1; higher means more similar. Identical tracks have an accuracy of 1, and unrelated
tracks about 0.085 by chance. Transpositions and time shifts are not allowed: a tune and the same
tune a semitone higher have an accuracy of about 0. If one of the tracks is unpitched
(`voiced_fraction.py`), the accuracy has no musical meaning.

Source: the frame-wise pitch class match of Music ControlNet (Wu et al. 2023, arXiv 2311.07069), as
it was computed for the published tables. The result is bit-identical to that definition.
"""

import numpy as np

from mirpipe.music.features.melody_pitch_classes import MELODY
from mirpipe.records import Score, UInt8
from mirpipe.specs import MetricSpec

ACCURACY = MetricSpec(
    name="melody_accuracy",
    version=MELODY.version,  # The accuracy changes with the stored melodies.
    unit="share of frames",
    low=0.0,
    high=1.0,
    higher_is_better=True,
    citation=MELODY.citation,
    compares="melodies",
)


def accuracy(target: UInt8, reference: UInt8) -> Score:
    """Return the melody accuracy of two pitch class sequences.

    The shapes are (n,) and (m,), dtype uint8. If either sequence is empty, the score is undefined
    and its reason is `too_short`.
    """
    frames = min(len(target), len(reference))
    if frames == 0:
        return Score(None, "too_short")
    equal = np.count_nonzero(target[:frames] == reference[:frames])
    return Score(float(equal / frames))
