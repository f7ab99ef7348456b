"""Clips of any length as one array of whole windows."""

from collections.abc import Sequence

import numpy as np

from mirpipe.errors import PluginError
from mirpipe.records import AudioSegment, Float32


def whole_windows(segments: Sequence[AudioSegment], window_samples: int) -> Float32:
    """One row a segment, shape (len(segments), window_samples); a shorter segment is repeated to fill it.

    Raises PluginError where a segment is empty or longer than a window.
    """
    for segment in segments:
        if not 0 < len(segment.samples) <= window_samples:
            raise PluginError(
                f"a segment has {len(segment.samples)} samples: one to {window_samples} make a window"
            )
    rows = [np.resize(segment.samples, window_samples) for segment in segments]
    return np.array(rows, np.float32).reshape(len(segments), window_samples)
