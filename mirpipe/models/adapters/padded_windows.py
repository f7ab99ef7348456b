"""Repeats short segments until each has the length of a full window."""

from collections.abc import Sequence

import numpy as np

from mirpipe.errors import PluginError
from mirpipe.records import AudioSegment, Float32


def repeat_to_full_windows(segments: Sequence[AudioSegment], window_samples: int) -> Float32:
    """Return one row per segment: an array of shape (len(segments), window_samples), float32.

    A segment that is shorter than a window is repeated until it fills its row. Raises PluginError
    if a segment is empty or longer than a window.
    """
    for segment in segments:
        if not 0 < len(segment.samples) <= window_samples:
            raise PluginError(
                f"A segment has {len(segment.samples)} samples, but a window has 1 to "
                f"{window_samples}. Report this as a bug in mirpipe"
            )
    rows = [np.resize(segment.samples, window_samples) for segment in segments]
    return np.array(rows, np.float32).reshape(len(segments), window_samples)
