"""Clips of any length as one array of whole windows."""

from collections.abc import Sequence

import numpy as np

from mirpipe.errors import PluginError
from mirpipe.records import Clip, Float32


def whole_windows(clips: Sequence[Clip], window_samples: int) -> Float32:
    """One row a clip, shape (len(clips), window_samples); a shorter clip is repeated to fill it.

    Raises PluginError where a clip is empty or longer than a window.
    """
    for clip in clips:
        if not 0 < len(clip.samples) <= window_samples:
            raise PluginError(
                f"a clip has {len(clip.samples)} samples: one to {window_samples} make a window"
            )
    rows = [np.resize(clip.samples, window_samples) for clip in clips]
    return np.array(rows, np.float32).reshape(len(clips), window_samples)
