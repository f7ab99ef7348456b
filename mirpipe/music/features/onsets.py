"""Computes the onset strength of each frame and the number of onsets per second.

There are two kinds of onset strength, each with one number per spectrogram frame
(`spectrogram.py`). The first is librosa's: the mean rise of 128 mel bands in dB. The second is
computed from transcribed notes. The second also shows the onsets of flutes and bowed strings, whose
spectrum hardly rises at an onset.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np

from mirpipe.music.features.spectrogram import FRAMES_PER_SECOND, HOP_SAMPLES, SAMPLE_RATE
from mirpipe.records import Float32, Note

MIN_RISE_DB = 0.5
"""Smallest 95th percentile of the onset strength, in dB, of audio with onsets.

This percentile is 1 or more for music and noise. It is 0.2 for a sustained chord, which has no
audible onsets.
"""


def onset_strength(mel_db: Float32) -> Float32:
    """Return the onset strength, shape (frames,), float32, 0 or more.

    `mel_db` is the mel spectrogram in dB, shape (128, frames). All values are 0 if the audio has no
    audible onsets.
    """
    from librosa.onset import onset_strength as librosa_onset_strength

    strength = cast(
        Float32, librosa_onset_strength(S=mel_db, sr=SAMPLE_RATE, hop_length=HOP_SAMPLES)
    )
    return strength if np.percentile(strength, 95) >= MIN_RISE_DB else np.zeros_like(strength)


def note_onset_strength(notes: Sequence[Note], frames: int) -> Float32:
    """Return the total velocity of the notes that start in each frame, shape (frames,), float32.

    Each note's velocity is divided between two frames, because onset times are more precise than
    frames.
    """
    strength = np.zeros(frames + 1, dtype=np.float32)
    for note in notes:
        frame, part = divmod(note.onset_seconds * FRAMES_PER_SECOND, 1)
        if frame < frames:
            strength[int(frame)] += (1 - part) * note.velocity
            strength[int(frame) + 1] += part * note.velocity
    return strength[:frames]


def onsets_per_second(strength: Float32) -> float:
    """Return the number of onsets per second, or 0 if the onset strength is 0 everywhere."""
    from librosa.onset import onset_detect

    if not strength.any():
        return 0.0
    frames = onset_detect(onset_envelope=strength, sr=SAMPLE_RATE, hop_length=HOP_SAMPLES)
    return float(len(frames) * FRAMES_PER_SECOND / len(strength))
