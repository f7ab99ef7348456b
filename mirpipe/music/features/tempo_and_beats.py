"""Tempo and beats: librosa's beat tracker, used only if its beats are evenly spaced.

The tracker (Ellis 2007) finds beats in any audio, even in rain. In music with a beat, they are on a
straight line over time: over 16 beats, they deviate by 0.01 to 0.03 of a beat. In noise, in random
strokes and in sustained music, they deviate by 0.05 or more. The slope of the line gives the tempo
much more precisely than the tracker's own grid, whose steps are 5 % at 120 BPM.

Of the 19 drum loops of the demo library, 16 get a tempo within 0.3 % of the true one. Two get half
of it (180 and 200 BPM), and one gets double (80 BPM). Half and double tempo are a matter of how a
listener counts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mirpipe.music.features.spectrogram import FRAMES_PER_SECOND, HOP_SAMPLES, SAMPLE_RATE
from mirpipe.records import Float32, Float64

MIN_BEATS = 5
"""Smallest number of beats for which the tempo is defined."""
LINE_BEATS = 16
"""Number of beats over which the tempo counts as constant."""
LARGEST_DEVIATION = 0.04
"""Largest median deviation from a line through 16 beats, as a share of a beat."""


@dataclass(frozen=True)
class Pulse:
    """The beats and their tempo, or the reason why there are none."""

    tempo_bpm: float | None
    """Beats per minute."""
    beat_seconds: tuple[float, ...]
    """Times of the beats in seconds, ascending."""
    reason: str | None = None
    """Reason code if there are no steady beats."""


def find_pulse(onset_strength: Float32) -> Pulse:
    """Return the beats of an onset strength, shape (frames,), as `onsets.py` returns it.

    The beats are undefined for the reason `no_onsets`, `too_few_beats` (fewer than 5) or
    `no_steady_beat`.
    """
    from librosa.beat import beat_track

    if not onset_strength.any():
        return Pulse(None, (), "no_onsets")
    _, frames = beat_track(onset_envelope=onset_strength, sr=SAMPLE_RATE, hop_length=HOP_SAMPLES)
    if len(frames) < MIN_BEATS:
        return Pulse(None, (), "too_few_beats")
    beats = frames / FRAMES_PER_SECOND
    period, deviation = _fit_lines(beats)
    if deviation > LARGEST_DEVIATION:
        return Pulse(None, (), "no_steady_beat")
    return Pulse(60 / period, tuple(beats.tolist()))


def _fit_lines(beats: Float64) -> tuple[float, float]:
    """Return seconds per beat, and the deviation of the beats from lines, as a share of a beat.

    Both are medians over all lines through 16 neighbouring beats.
    """
    length = min(LINE_BEATS, len(beats))
    windows = sliding_window_view(beats, length)
    index = np.arange(length) - (length - 1) / 2
    slopes = windows @ index / (index @ index)
    residual = windows - windows.mean(axis=1, keepdims=True) - slopes[:, np.newaxis] * index
    period = float(np.median(slopes))
    return period, float(np.median(residual.std(axis=1)) / period)
