"""Mixes all channels of decoded audio to mono."""

from collections.abc import Iterator

import numpy as np

from mirpipe.audio.rejected_files import non_finite_error
from mirpipe.records import Float32

# numpy adds fewer than 8 numbers one after another, but adds 8 or more numbers in pairs.
_NUMPY_PAIRWISE_LENGTH = 8


def mix_to_mono(block: Float32) -> Float32:
    """Return the mean of the channels, bit-identical to `librosa.to_mono`.

    `block` has the shape (frames, channels). The result has the shape (frames,) and the dtype
    float32.
    """
    channels = block.shape[1]
    mono: Float32
    if channels >= _NUMPY_PAIRWISE_LENGTH:
        mono = np.mean(block, axis=1, dtype=np.float32)
    else:  # Adding whole columns is bit-identical and ten times as fast.
        columns = [block[:, channel] for channel in range(channels)]
        mono = np.add.reduce(columns) / np.float32(channels)
    return mono


def mono_blocks(blocks: Iterator[Float32], name: str) -> Iterator[Float32]:
    """Yield each block mixed to mono, with the shape (frames,).

    Raises RejectedInput with the reason non_finite if a sample is infinite or not a number.
    """
    for block in blocks:
        mono = mix_to_mono(block)
        if not np.isfinite(mono).all():
            raise non_finite_error(name)
        yield mono
