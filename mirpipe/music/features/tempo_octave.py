"""Chooses between a tempo, its half and its double, and tells how well each of them fits.

The beat tracker often follows the hi-hat of a slow song at double the tempo, and the backbeat of a
fast song at half the tempo. Drums below 2.5 kHz show which beats are accented:

- If every other beat has at most a quarter of the accent of the others, the tempo is halved, and
  the accented beats are kept.
- If all beats sound the same and the offbeats have a different sound of at least 0.4 times the
  accent (beats are kicks, offbeats are snares), the tempo is doubled, unless it would exceed
  210 BPM.

A listener may still count half or double. The strength of the half tempo is therefore the
difference between alternate accents, and the strength of the double tempo is the accent of the
offbeats, both relative to the accent of the beats. The octave is ambiguous if one of them is at
least 0.5. ADR 25 contains the measurements.
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.music.features.spectrogram import FRAMES_PER_SECOND
from mirpipe.music.features.tempo_and_beats import MIN_BEATS, Pulse
from mirpipe.records import Float32, Float64, TempoCandidate

LOW_BANDS = 72
"""Number of mel bands below 2.5 kHz: kick and snare, but hardly any hi-hat."""
BAND_GROUPS = 16
WEAK_ACCENT = 0.25
"""Largest accent of alternate beats that are not counted, relative to the other beats."""
OFFBEAT_ACCENT = 0.4
"""Smallest accent of offbeats that are counted as beats, relative to the beats."""
SAME_SOUND = 0.97
"""Smallest cosine similarity of alternate beats that sound the same."""
OTHER_SOUND = 0.93
"""Largest cosine similarity of beats and offbeats that sound different."""
FASTEST_BPM = 210.0
SLOWEST_CANDIDATE_BPM, FASTEST_CANDIDATE_BPM = 30.0, 320.0
_ACCENT_FRAMES = 2
"""An accent is the largest rise within this many frames of the beat."""


@dataclass(frozen=True)
class _Accents:
    """Mean rise of each band group at the even beats, at the odd beats and at the offbeats."""

    even: Float64
    odd: Float64
    offbeat: Float64

    @property
    def half_ratio(self) -> float:
        """The weaker beats' accent, relative to the stronger beats."""
        weak, strong = sorted((_low(self.even), _low(self.odd)))
        return weak / strong if strong > 0 else 1.0

    @property
    def offbeat_ratio(self) -> float:
        """The offbeats' accent, relative to the beats."""
        beats = (_low(self.even) + _low(self.odd)) / 2
        return _low(self.offbeat) / beats if beats > 0 else 0.0


def choose_octave(pulse: Pulse, mel_db: Float32) -> tuple[Pulse, tuple[TempoCandidate, ...]]:
    """Return the pulse at the best of the three tempos, and the candidates in ascending order.

    `mel_db` is the mel spectrogram in dB, shape (128, frames), from `spectrogram.py`. The strength
    of the returned pulse's tempo is 1. A pulse without a tempo has no candidates.
    """
    if pulse.tempo_bpm is None:
        return pulse, ()
    rise = np.maximum(0, np.diff(mel_db, axis=1, prepend=mel_db[:, :1]))
    groups = rise.reshape(BAND_GROUPS, -1, rise.shape[1]).mean(axis=1, dtype=np.float64)
    pulse = _corrected(pulse, _accents(groups, np.array(pulse.beat_seconds)))
    assert pulse.tempo_bpm is not None
    accents = _accents(groups, np.array(pulse.beat_seconds))
    strengths = {
        pulse.tempo_bpm / 2: 1 - accents.half_ratio,
        pulse.tempo_bpm: 1.0,
        pulse.tempo_bpm * 2: min(accents.offbeat_ratio, 1.0),
    }
    return pulse, tuple(
        TempoCandidate(bpm, strength)
        for bpm, strength in strengths.items()
        if SLOWEST_CANDIDATE_BPM <= bpm <= FASTEST_CANDIDATE_BPM
    )


def _corrected(pulse: Pulse, accents: _Accents) -> Pulse:
    assert pulse.tempo_bpm is not None
    beats = np.array(pulse.beat_seconds)
    if accents.half_ratio <= WEAK_ACCENT and len(beats) >= 2 * MIN_BEATS:
        kept = beats[0 if _low(accents.even) > _low(accents.odd) else 1 :: 2]
        return Pulse(pulse.tempo_bpm / 2, tuple(kept.tolist()))
    has_other_sound = (
        _cosine(accents.even, accents.odd) >= SAME_SOUND
        and _cosine(accents.even + accents.odd, accents.offbeat) <= OTHER_SOUND
    )
    if (
        has_other_sound
        and accents.offbeat_ratio >= OFFBEAT_ACCENT
        and 2 * pulse.tempo_bpm <= FASTEST_BPM
    ):
        offbeats = (beats[:-1] + beats[1:]) / 2
        return Pulse(2 * pulse.tempo_bpm, tuple(np.sort([*beats, *offbeats]).tolist()))
    return pulse


def _accents(groups: Float64, beat_seconds: Float64) -> _Accents:
    """`groups` is the rise of each band group, shape (16, frames)."""
    offbeats = (beat_seconds[:-1] + beat_seconds[1:]) / 2
    times = beat_seconds[::2], beat_seconds[1::2], offbeats
    return _Accents(*(_mean_accent(groups, seconds) for seconds in times))


def _mean_accent(groups: Float64, seconds: Float64) -> Float64:
    nearest = np.rint(seconds * FRAMES_PER_SECOND).astype(int)
    around = nearest[:, np.newaxis] + np.arange(-_ACCENT_FRAMES, _ACCENT_FRAMES + 1)
    accents: Float64 = groups[:, around.clip(0, groups.shape[1] - 1)].max(axis=2).mean(axis=1)
    return accents


def _low(accent: Float64) -> float:
    return float(accent[: LOW_BANDS * BAND_GROUPS // 128].sum())


def _cosine(first: Float64, second: Float64) -> float:
    norm = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norm if norm > 0 else 1.0
