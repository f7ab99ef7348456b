"""Melody accuracy: how often two tracks have the same pitch class at the same time.

The accuracy is the share of the shorter track's frames in which both tracks have the same pitch
class, 0 … 1; higher means more similar. Frames in which one of the tracks is silent are left out.
Identical tracks have an accuracy of 1, and unrelated
tracks about 0.085 by chance. Transpositions and time shifts are not allowed: a tune and the same
tune a semitone higher have an accuracy of about 0. If one of the tracks is unpitched
(`voiced_fraction.py`), the accuracy has no musical meaning.

Source: the frame-wise pitch class match of Music ControlNet (Wu et al. 2023, arXiv 2311.07069), as
it was computed for the published tables. The result is bit-identical to that definition if neither
track has silent parts. The definition gives silence the pitch class C, so two tracks with silence
at the same time are similar by that definition, whatever they contain.
"""

import numpy as np

from mirpipe.music.features.melody_pitch_classes import MELODY
from mirpipe.music.metrics.sounding_frames import sounding_frames
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

    The shapes are (n,) and (m,), dtype uint8. The score is undefined if either sequence is empty
    (reason `too_short`), or if the tracks never sound at the same time (`no_common_sound`).
    """
    if not len(target) or not len(reference):
        return Score(None, "too_short")
    target, reference = sounding_frames(target, reference)
    if not len(target):
        return Score(None, "no_common_sound")
    return Score(float(np.count_nonzero(target == reference) / len(target)))
