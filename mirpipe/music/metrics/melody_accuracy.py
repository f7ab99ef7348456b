"""Melody accuracy: how often two tracks have the same pitch class at the same time.

It is the share of frames with equal pitch classes, over the frames of the shorter track: 0 … 1,
higher is more similar. Identical tracks have 1, and unrelated tracks about 0.085 by chance. It
allows no transposition and no time shift: the same tune a semitone higher has about 0. If one of
the tracks is unpitched (`voiced_fraction.py`), the number has no musical meaning.

Source: the frame-wise pitch class match of Music ControlNet (Wu et al. 2023, arXiv 2311.07069), as
the published tables computed it. The result is bit-identical to that definition.
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
    """Return the melody accuracy of two sequences of pitch classes.

    The shapes are (n,) and (m,), dtype uint8. The score is undefined for the reason `too_short` if
    one of them is empty.
    """
    frames = min(len(target), len(reference))
    if frames == 0:
        return Score(None, "too_short")
    equal = np.count_nonzero(target[:frames] == reference[:frames])
    return Score(float(equal / frames))
