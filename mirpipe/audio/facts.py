"""What ingest wants to know of a file, by decoding all of it once."""

import math
from dataclasses import dataclass

import numpy as np

from mirpipe.audio.decode import Audio, decode, mix
from mirpipe.audio.limits import MAX_SECONDS, MIN_SECONDS
from mirpipe.audio.regular_files import Name, show
from mirpipe.audio.waveform_outline import Peaks
from mirpipe.errors import RejectedInput

SILENCE_DBFS = -80.0
MAX_PEAK = 1e5  # unscaled 16-bit integers in a float file pass, the wrong byte order does not


@dataclass(frozen=True)
class AudioFacts:
    """What one file holds, counted and not read from its header."""

    seconds: float
    sample_rate: int
    channels: int
    format: str
    rms_dbfs: float
    """Level of the mono mix without its constant part, in dB relative to full scale."""
    peak: float
    """Largest absolute sample of any channel, full scale 1."""
    outline: bytes
    """Of the mono mix, as `Peaks` packs it: what a player draws."""


def inspect(path: Name) -> AudioFacts:
    """The facts of a usable file; memory does not grow with its length.

    Raises RejectedInput as `decode` does, and: too_short, too_long, silent, non_finite,
    absurd_level.
    """
    with decode(path) as audio:
        outline = Peaks()
        frames, mean, power, peak = _measure(audio, show(path), outline)
    seconds = frames / audio.sample_rate
    if seconds < MIN_SECONDS:
        raise RejectedInput("too_short", f"{show(path)} lasts {seconds:.2f} s")
    variance = power - mean * mean
    rms_dbfs = 10 * math.log10(variance) if variance > 0 else -math.inf
    if rms_dbfs < SILENCE_DBFS:
        raise RejectedInput("silent", f"the mono mix of {show(path)} is silent")
    return AudioFacts(
        *(seconds, audio.sample_rate, audio.channels, audio.format, rms_dbfs, peak),
        outline=outline.packed(),
    )


def _measure(audio: Audio, name: str, outline: Peaks) -> tuple[int, float, float, float]:
    """Frames, mean and mean square of the mono mix, and peak; draws the outline."""
    frames, total, squares, peak = 0, 0.0, 0.0, 0.0
    for block in audio.blocks:
        block_peak = float(np.abs(block).max())
        if not math.isfinite(block_peak):
            raise RejectedInput("non_finite", f"{name} holds samples that are not numbers")
        if block_peak > MAX_PEAK:
            raise RejectedInput("absurd_level", f"{name} peaks at {block_peak:.1e} of full scale")
        mono = mix(block)
        outline.add(mono)
        total += float(mono.sum(dtype=np.float64))
        # Not a dot product: its last bits depend on the number of threads.
        squares += float(np.square(mono, dtype=np.float64).sum())
        frames += len(block)
        peak = max(peak, block_peak)
        if frames > MAX_SECONDS * audio.sample_rate:
            raise RejectedInput("too_long", f"{name} lasts over {MAX_SECONDS / 3600:.0f} h")
    return frames, total / frames, squares / frames, peak
