"""Loads the parts of a track that are not silent as mono audio at a given sample rate."""

from collections.abc import Sequence
from contextlib import closing
from itertools import islice

import numpy as np

from mirpipe.audio.load_mono import load_mono
from mirpipe.audio.window_cutting import WindowRequest
from mirpipe.audio.windows import read_windows
from mirpipe.files.printable_path import AnyPath
from mirpipe.records import Float32, MonoMix


def load_sounding(
    path: AnyPath,
    sample_rate: int,
    silent_parts: Sequence[tuple[float, float]],
    *,
    mix: MonoMix | None = None,
    max_seconds: int,
) -> Float32:
    """Return the joined sounding parts of a track as mono audio, float32 of shape (n,).

    `mix` is how the file becomes mono. `silent_parts` contains the start and end of each part that
    is left out, in seconds. At most `max_seconds` seconds are returned, and nothing after them is
    decoded. Without silent parts, the result is that of `load_mono`. Raises RejectedInput as
    `load_mono` does.
    """
    if not silent_parts:
        return load_mono(path, sample_rate, mix=mix, max_seconds=max_seconds)
    request = WindowRequest(
        sample_rate, window_samples=sample_rate, keep_tail=True, silent_parts=tuple(silent_parts)
    )
    with closing(read_windows(path, [request], mix=mix)) as windows:
        seconds = [segment.samples for _, segment in islice(windows, max_seconds)]
    return np.concatenate([np.empty(0, np.float32), *seconds])
