"""Voiced fraction: the share of frames with a clear pitch. It shows whether a track is pitched.

Every frame has a strongest pitch class, even in a drum loop or in silence. The voiced fraction
shows whether the strongest pitch classes have a musical meaning. A frame is voiced if it is

- loud: its energy above the high-pass frequency is within 20 dB of the track's 95th percentile; and
- peaked: its strongest pitch class has at least 2.5 times the mean of all twelve.

A track with a voiced fraction below 0.6 is unpitched, and its melody metrics have no musical
meaning.

In the demo library, the voiced fraction of the 19 drum loops is 0.00 … 0.34, at least 0.26 below
the threshold. For the 14 melodies that are a query or its match, it is 0.84 … 1.00, at least 0.24
above the threshold. Of the other 27 tracks, four are unpitched, with 0.38 … 0.55 (rock, bossa nova
and funk bands with drums, and a percussive loop); the others have 0.67 or more. The voiced fraction
of white and pink noise is 0. A sine has a voiced fraction of 1 even in noise of the same level.
"""

import numpy as np

from mirpipe.records import Bool, Float64

VOICED_FRACTION = 0.6
"""Smallest voiced fraction of a pitched track."""
PEAKED = 2.5
"""Smallest ratio of the strongest pitch class to the mean: 1 is flat, 12 is one pitch class."""
LOUD_PERCENTILE = 95
"""Percentile of the energy used as reference. The maximum could be the energy of a single click."""
LOUD_RATIO = 0.01
"""−20 dB: includes the decay of a plucked string, excludes the ringing between drum strokes."""


def peaked_frames(chroma: Float64) -> Bool:
    """Return for each frame whether it has a clear strongest pitch class, shape (frames,).

    `chroma` has shape (12, frames).
    """
    is_peaked: Bool = chroma.max(axis=0) >= PEAKED * chroma.mean(axis=0)
    return is_peaked


def voiced_fraction(energy: Float64, is_peaked: Bool) -> float:
    """Return the share of frames that are loud and peaked, 0 … 1.

    `energy` contains the energy of each frame of the complete track, shape (frames,).
    """
    is_loud = (energy > 0) & (energy >= LOUD_RATIO * np.percentile(energy, LOUD_PERCENTILE))
    return float(np.mean(is_loud & is_peaked))
