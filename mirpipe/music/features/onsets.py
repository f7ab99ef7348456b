"""Onsets: how strongly something begins at every moment, and how often something does.

Two views, both one number per frame of `spectrogram.py`: librosa's onset strength, the mean rise of
128 mel bands in dB; and the onsets of transcribed notes, which show what a flute or a bowed string
plays where the spectrum hardly jumps.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np

from mirpipe.music.features.spectrogram import FRAMES_PER_SECOND, HOP_SAMPLES, SAMPLE_RATE
from mirpipe.records import Float32, Note

WEAKEST = 0.5
"""Bound on the 95th percentile of the rise in dB: it is 1 and above in music and in noise, 0.2 in a
sustained chord, where nothing begins that one could hear."""


def strength(mel_db: Float32) -> Float32:
    """Onset strength, shape (frames,), 0 and above; all 0 where nothing begins."""
    from librosa.onset import onset_strength

    found = cast(Float32, onset_strength(S=mel_db, sr=SAMPLE_RATE, hop_length=HOP_SAMPLES))
    return found if np.percentile(found, 95) >= WEAKEST else np.zeros_like(found)


def strength_of_notes(notes: Sequence[Note], frames: int) -> Float32:
    """The velocities of the notes that begin at every frame, shape (frames,)."""
    found = np.zeros(frames + 1, dtype=np.float32)
    for note in notes:
        frame, part = divmod(note.onset_seconds * FRAMES_PER_SECOND, 1)
        if frame < frames:  # shared between two frames: the grid is coarser than the onsets
            found[int(frame)] += (1 - part) * note.velocity
            found[int(frame) + 1] += part * note.velocity
    return found[:frames]


def per_second(onset_strength: Float32) -> float:
    """The number of distinct onsets in a second, 0 where nothing begins."""
    from librosa.onset import onset_detect

    if not onset_strength.any():
        return 0.0
    found = onset_detect(onset_envelope=onset_strength, sr=SAMPLE_RATE, hop_length=HOP_SAMPLES)
    return float(len(found) * FRAMES_PER_SECOND / len(onset_strength))
