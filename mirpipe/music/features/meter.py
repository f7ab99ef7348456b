"""Estimates a track's meter: three or four beats per bar, if the result is clear.

The onsets in each beat (the rise of 16 groups of mel bands in the four quarters of the beat) are
compared with the onsets 3, 4, 6 and 8 beats later. Music with four beats per bar is similar to
itself after 4 and 8 beats. It may also be similar after 6 beats, so music with three beats per bar
must be similar after both 3 and 6 beats. Bars of two beats count as four beats per bar. Other
meters, such as five and six beats per bar, are not recognised and give no meter.

All 24 drum loops and bands of the demo library have four beats per bar. The estimate is four for 16
of them and undefined for 8; it is three for none of them.
"""

from collections.abc import Sequence

import numpy as np

from mirpipe.music.features.spectrogram import FRAMES_PER_SECOND
from mirpipe.records import Float32, Float64

MIN_BEATS = 16
"""Smallest number of beats for which the meter is defined."""
CLEAR_FOUR = 0.2
"""Smallest similarity of music with four beats per bar."""
CLEAR_THREE = 0.15
"""Smallest similarity of music with three beats per bar."""
MARGIN = 0.25
"""Smallest difference between the two meters' similarities."""
BAND_GROUPS = 16
QUARTERS = 4


def beats_per_bar(mel_db: Float32, beat_seconds: Sequence[float]) -> tuple[int | None, str | None]:
    """Return 3 or 4 and None; or None and the reason why the meter is undefined.

    `mel_db` is the mel spectrogram in dB, shape (128, frames), from `spectrogram.py`.
    `beat_seconds` contains the beat times in seconds, ascending. The reason is `no_steady_beat` (no
    beats), `too_few_beats` (fewer than 16 beats) or `no_clear_meter`.
    """
    if not beat_seconds:
        return None, "no_steady_beat"
    if len(beat_seconds) < MIN_BEATS:
        return None, "too_few_beats"
    onsets = _onsets_per_beat(mel_db, np.asarray(beat_seconds))
    three = min(_similarity_after(onsets, 3), _similarity_after(onsets, 6))
    four = (_similarity_after(onsets, 4) + _similarity_after(onsets, 8)) / 2
    if four >= CLEAR_FOUR and four >= three + MARGIN:
        return 4, None
    if three >= CLEAR_THREE and three >= four + MARGIN:
        return 3, None
    return None, "no_clear_meter"


def _onsets_per_beat(mel_db: Float32, beat_seconds: Float64) -> Float64:
    """Return each band group's rise in each quarter of each beat, minus the mean over all beats.

    The shape is (beats − 1, 64).
    """
    rise = np.maximum(0, np.diff(mel_db, axis=1, prepend=mel_db[:, :1]))
    groups = rise.reshape(BAND_GROUPS, -1, rise.shape[1]).mean(axis=1, dtype=np.float64)
    # The quarters start half a frame early, because the level rises within the frame that contains
    # a drum stroke.
    index = np.arange((len(beat_seconds) - 1) * QUARTERS + 1) / QUARTERS
    edges = np.interp(index, np.arange(len(beat_seconds)), beat_seconds)
    frames = np.rint(edges * FRAMES_PER_SECOND - 0.5).clip(0, rise.shape[1]).astype(int)
    total = np.pad(np.cumsum(groups, axis=1), ((0, 0), (1, 0)))
    mean = np.diff(total[:, frames], axis=1) / np.maximum(np.diff(frames), 1)
    rows = mean.T.reshape(len(beat_seconds) - 1, -1)
    return np.asarray(rows - rows.mean(axis=0))


def _similarity_after(rows: Float64, beats: int) -> float:
    """Return the correlation of the rows with the rows `beats` beats later, −1 … 1."""
    early, late = rows[:-beats], rows[beats:]
    norm = np.sqrt(np.square(early).sum() * np.square(late).sum())
    return float((early * late).sum() / norm) if norm > 0 else 0.0
