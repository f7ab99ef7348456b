"""The excerpts that listeners hear: a part of a track at a common level, as FLAC without any tag.

The file itself is never sent, because its tags and its format could tell the listener what it is.
"""

import io
from collections.abc import Iterator

import numpy as np
import soundfile

from mirpipe.audio.decode import decode
from mirpipe.errors import RejectedInput
from mirpipe.files.printable_path import AnyPath, printable_path
from mirpipe.records import Float32

LEVEL_DBFS = -23.0
"""RMS level of an excerpt, in dB relative to full scale. Most music has no peak 23 dB above it."""
FADE_SECONDS = 0.02
"""Length of the fades at both ends, in seconds. Without them, a cut can be heard as a click."""


def excerpt(path: AnyPath, start_seconds: float, seconds: float) -> bytes:
    """Return a part of an audio file as FLAC: 16 bit, with the file's sample rate.

    A file with more than two channels becomes mono. The level is LEVEL_DBFS, or lower if the peaks
    would exceed full scale. Raises RejectedInput with one of the reasons of `decode`, or with
    `too_short` if the file ends before the start.
    """
    with decode(path) as audio:
        start = int(start_seconds * audio.sample_rate)
        samples = _cut(audio.blocks, start, start + int(seconds * audio.sample_rate))
        rate = audio.sample_rate
    if samples is None:
        raise RejectedInput(
            "too_short",
            f"{printable_path(path)} ends before {start_seconds:g} s, although it was longer when "
            "it was ingested. Copy it again, or run `mirpipe ingest`.",
        )
    if samples.shape[1] > 2:
        samples = samples.mean(axis=1, keepdims=True)
    fade = np.minimum(1.0, np.arange(1, len(samples) + 1) / (FADE_SECONDS * rate))
    samples = samples * (fade * fade[::-1])[:, np.newaxis] * _gain(samples)
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def _cut(blocks: Iterator[Float32], start: int, end: int) -> Float32 | None:
    """Return the frames from start to end, shape (frames, channels), or None if there are none.

    Nothing after the end is decoded.
    """
    parts, position = [], 0
    for block in blocks:
        if position + len(block) > start:
            # A slice that is not copied would keep its whole block in memory.
            parts.append(block[max(0, start - position) : end - position].copy())
        position += len(block)
        if position >= end:
            break
    return np.concatenate(parts) if parts else None


def _gain(samples: Float32) -> float:
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0
    if rms == 0:
        return 1.0
    return float(min(10 ** (LEVEL_DBFS / 20) / rms, 1 / np.abs(samples).max()))
