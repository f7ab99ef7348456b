"""Loads a track, or a part of it, as mono audio at a given sample rate."""

import math

import numpy as np

from mirpipe.audio.decode import decode
from mirpipe.audio.downmix import mono_blocks
from mirpipe.audio.mono_mix import measure_mono_mix
from mirpipe.audio.resampling import StreamResampler
from mirpipe.files.printable_path import AnyPath, printable_path
from mirpipe.records import Float32, MonoMix


def load_mono(
    path: AnyPath,
    sample_rate: int,
    *,
    mix: MonoMix | None = None,
    start_seconds: float = 0.0,
    max_seconds: float | None = None,
) -> Float32:
    """Return the file as mono, resampled to `sample_rate` Hz, as float32 of shape (n,).

    `mix` is how the file becomes mono. If it is None, the file is first decoded to measure it.

    The audio before `start_seconds` is left out. If `max_seconds` is given, the result contains at
    most that many seconds, and the rest of the file is not decoded. For mono and stereo files
    without a DC offset, the result is bit-identical to `librosa.load(path, sr=sample_rate,
    mono=True, offset=start_seconds, duration=max_seconds)`, which resamples with soxr HQ. Raises
    RejectedInput with one of the reasons of `decode`, or with non_finite.
    """
    mix = measure_mono_mix(path) if mix is None else mix
    with decode(path) as audio:
        max_frames = None if max_seconds is None else int(max_seconds * audio.sample_rate)
        resampler = StreamResampler(audio.sample_rate, sample_rate)
        parts, frames, skip = [], 0, int(start_seconds * audio.sample_rate)
        for block in mono_blocks(audio, mix, printable_path(path)):
            mono = block[skip:]
            skip -= len(block) - len(mono)
            kept = mono if max_frames is None else mono[: max_frames - frames]
            frames += len(kept)
            parts.append(resampler.resample(kept))
            if frames == max_frames:
                break
        parts.append(resampler.flush())
    samples = np.concatenate(parts)
    # librosa rounds the number of samples up and pads with zeros; soxr rounds the number down.
    length = math.ceil(frames * (float(sample_rate) / audio.sample_rate))
    return np.pad(samples[:length], (0, max(0, length - len(samples))))
