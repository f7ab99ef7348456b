"""Measures the length, level, peak and waveform outline of an audio file in one decoding pass."""

import math
from dataclasses import dataclass

import numpy as np

from mirpipe.audio.decode import AudioStream, decode
from mirpipe.audio.downmix import mix_to_mono
from mirpipe.audio.limits import MAX_SECONDS, MIN_SECONDS
from mirpipe.audio.rejected_files import non_finite_error
from mirpipe.audio.silence import SilenceMeter
from mirpipe.audio.waveform_outline import WaveformOutline
from mirpipe.errors import RejectedInput
from mirpipe.files.printable_path import AnyPath, printable_path
from mirpipe.records import Silence

SILENCE_DBFS = -80.0
# The peak of a float file with unscaled 16-bit integers is below this limit. The peak of samples
# that are read in the wrong byte order is above it.
MAX_PEAK = 1e5


@dataclass(frozen=True)
class AudioFacts:
    """Facts about one audio file, measured from its samples and not read from its header."""

    seconds: float
    sample_rate: int
    channels: int
    format: str
    rms_dbfs: float
    """Level of the mono mix without its DC offset, in dB relative to full scale."""
    peak: float
    """Largest absolute sample value in any channel; full scale is 1."""
    outline: bytes
    """Waveform outline of the mono mix, packed by `WaveformOutline.packed`."""
    silence: Silence
    """The silent parts of the mono mix."""


def read_audio_facts(path: AnyPath) -> AudioFacts:
    """Decode the file and return its facts. Memory use does not grow with the file's length.

    Raises RejectedInput with one of the reasons of `decode`, or with too_short, too_long, silent,
    non_finite or absurd_level.
    """
    name = printable_path(path)
    with decode(path) as audio:
        outline, meter = WaveformOutline(), SilenceMeter(audio.sample_rate)
        frames, mean, mean_square, peak = _measure(audio, name, outline, meter)
    seconds = frames / audio.sample_rate
    if seconds < MIN_SECONDS:
        raise RejectedInput(
            "too_short",
            f"{name} has only {seconds:.2f} s of audio, but at least {MIN_SECONDS:g} s are "
            "required. Use a longer file.",
        )
    variance = mean_square - mean * mean
    rms_dbfs = 10 * math.log10(variance) if variance > 0 else -math.inf
    silence = meter.silence()
    if rms_dbfs < SILENCE_DBFS or silence is None:
        raise RejectedInput(
            "silent",
            f"{name} is silent: the level of its mono mix is below {SILENCE_DBFS:g} dB. Export "
            "it again.",
        )
    return AudioFacts(
        seconds=seconds,
        sample_rate=audio.sample_rate,
        channels=audio.channels,
        format=audio.format,
        rms_dbfs=rms_dbfs,
        peak=peak,
        outline=outline.packed(),
        silence=silence,
    )


def _measure(
    audio: AudioStream, name: str, outline: WaveformOutline, meter: SilenceMeter
) -> tuple[int, float, float, float]:
    """Return the number of frames, the mean and mean square of the mono mix, and the peak.

    The mono mix is also added to `outline` and to `meter`.
    """
    frames, total, sum_of_squares, peak = 0, 0.0, 0.0, 0.0
    for block in audio.blocks:
        block_peak = float(np.abs(block).max())
        if not math.isfinite(block_peak):
            raise non_finite_error(name)
        if block_peak > MAX_PEAK:
            raise RejectedInput(
                "absurd_level",
                f"{name} has samples at {block_peak:.1e} times full scale: its sample format is "
                "probably wrong. Export it again.",
            )
        mono = mix_to_mono(block)
        outline.add(mono)
        meter.add(mono)
        total += float(mono.sum(dtype=np.float64))
        # A dot product is not used, because the last bits of its result depend on the number of
        # threads.
        sum_of_squares += float(np.square(mono, dtype=np.float64).sum())
        frames += len(block)
        peak = max(peak, block_peak)
        if frames > MAX_SECONDS * audio.sample_rate:
            raise RejectedInput(
                "too_long",
                f"{name} is longer than {MAX_SECONDS / 3600:.0f} hours. Split it into shorter "
                "files.",
            )
    return frames, total / frames, sum_of_squares / frames, peak
