"""Voiced fraction: the share of frames with a clear pitch, and whether a track is pitched.

The strongest pitch class of a frame exists even for a drum loop or for silence. The voiced fraction
shows whether it has a meaning. A frame is voiced if it is

- loud: its energy above the high-pass is within 20 dB of the track's 95th percentile; and
- peaked: its strongest pitch class has at least 2.5 times the mean of the twelve.

A track with a voiced fraction below 0.6 is unpitched, and its melody metrics have no meaning.

In the demo library, the 19 drum loops have 0.00 … 0.34, which is 0.26 below the threshold. The 14
melodies that are a query or its match have 0.84 … 1.00, which is 0.24 above. Of the other 27
tracks, four are unpitched with 0.38 … 0.55 (rock, bossa nova and funk bands with drums, and a
percussive loop), and the rest have 0.67 or more. White and pink noise have 0. A sine at the level
of the surrounding noise has 1.
"""

import numpy as np

from mirpipe.records import Bool, Float64

VOICED_FRACTION = 0.6
"""Smallest voiced fraction of a pitched track."""
PEAKED = 2.5
"""Smallest ratio of strongest pitch class and mean: 1 is flat, 12 is a single pitch class."""
LOUD_PERCENTILE = 95
"""Percentile of the energy that counts as loud. The maximum would be that of a single click."""
LOUD_RATIO = 0.01
"""−20 dB. It includes the decay of a plucked string and excludes the ringing between two drums."""


def peaked_frames(chroma: Float64) -> Bool:
    """Return which frames have a clear strongest pitch class, shape (frames,).

    `chroma` has shape (12, frames).
    """
    is_peaked: Bool = chroma.max(axis=0) >= PEAKED * chroma.mean(axis=0)
    return is_peaked


def voiced_fraction(energy: Float64, is_peaked: Bool) -> float:
    """Return the share of frames that are loud and peaked, 0 … 1.

    `energy` is the energy of each frame of the complete track, shape (frames,).
    """
    is_loud = (energy > 0) & (energy >= LOUD_RATIO * np.percentile(energy, LOUD_PERCENTILE))
    return float(np.mean(is_loud & is_peaked))
