"""Tempo and beats: librosa's beat tracker, believed where its beats are evenly spaced.

The tracker (Ellis 2007) finds beats in anything, in rain too. Where there is a pulse they lie on
a straight line: over 16 beats, 0.01 to 0.03 of a beat off it in music with a beat, 0.05 and more
in noise, in random strokes and in sustained music. The line's slope gives the tempo far more
precisely than the tracker's own grid of lags, which is 5 % wide at 120 BPM.

Of the 19 drum loops of the demo library 16 come out within 0.3 % of their true tempo, 2 at half
of it (180 and 200 BPM) and 1 at its double (80 BPM): the octave is the listener's choice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mirpipe.music.features.spectrogram import FRAMES_PER_SECOND, HOP_SAMPLES, SAMPLE_RATE
from mirpipe.records import Float32, Float64

FEWEST_BEATS = 5
LINE_BEATS = 16
"""Over so many beats the tempo counts as constant."""
LARGEST_DEVIATION = 0.04
"""Of a beat: median over the track of the deviation from a line through 16 beats."""


@dataclass(frozen=True)
class Pulse:
    """Beats and their tempo, or the reason why there are none."""

    tempo_bpm: float | None
    beat_seconds: tuple[float, ...]
    reason: str | None = None


def pulse(onset_strength: Float32) -> Pulse:
    """The beats in onset strength, shape (frames,), as `mirpipe.music.features.onsets` gives it.

    Undefined, with a reason: `no_onsets`, `too_few_beats` (fewer than 5), `no_steady_beat`.
    """
    from librosa.beat import beat_track

    if not onset_strength.any():
        return Pulse(None, (), "no_onsets")
    _, frames = beat_track(onset_envelope=onset_strength, sr=SAMPLE_RATE, hop_length=HOP_SAMPLES)
    if len(frames) < FEWEST_BEATS:
        return Pulse(None, (), "too_few_beats")
    beats = frames / FRAMES_PER_SECOND
    period, deviation = _line(beats)
    if deviation > LARGEST_DEVIATION:
        return Pulse(None, (), "no_steady_beat")
    return Pulse(60 / period, tuple(beats.tolist()))


def _line(beats: Float64) -> tuple[float, float]:
    """Seconds a beat, and how far the beats lie off that, in beats: medians of local lines."""
    length = min(LINE_BEATS, len(beats))
    windows = sliding_window_view(beats, length)
    index = np.arange(length) - (length - 1) / 2
    slopes = windows @ index / (index @ index)
    residual = windows - windows.mean(axis=1, keepdims=True) - slopes[:, np.newaxis] * index
    period = float(np.median(slopes))
    return period, float(np.median(residual.std(axis=1)) / period)
