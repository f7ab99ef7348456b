"""Mixes the channels of decoded audio to mono.

Mono and stereo are averaged. More channels are weighted as ITU-R BS.775 does for 5.1, and as
ffmpeg's downmix to mono does for all other positions. The LFE channel is left out.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from mirpipe.audio.decode import AudioStream
from mirpipe.audio.rejected_files import non_finite_error
from mirpipe.records import Float32, MonoMix

# numpy adds fewer than 8 numbers one after another, but adds 8 or more numbers in pairs.
_NUMPY_PAIRWISE_LENGTH = 8
_SIDE = 0.5**0.5
# Weights by loudspeaker position, in the order of the bits of WAVEFORMATEXTENSIBLE: front left,
# front right, front centre, LFE, back left, back right, left of centre, right of centre, back
# centre, side left and side right. Source: libswresample, rematrix.c.
_WEIGHTS = (_SIDE, _SIDE, 1.0, 0.0, 0.5, 0.5, _SIDE, _SIDE, 0.5, 0.5, 0.5)


def channel_weights(channels: int, channel_mask: int | None) -> Float32 | None:
    """Return the weights of the channels, shape (channels,), with the sum 1.

    The result is None if all channels have equal weight: up to two channels, or unknown positions.
    """
    if channels <= 2 or channel_mask is None:
        return None
    positions = [bit for bit in range(32) if channel_mask >> bit & 1][:channels]
    if len(positions) < channels or positions[-1] >= len(_WEIGHTS):
        return None
    weights = np.array([_WEIGHTS[position] for position in positions])
    return (weights / weights.sum()).astype(np.float32) if weights.sum() else None


def mix_to_mono(block: Float32, weights: Float32 | None = None) -> Float32:
    """Return the weighted sum of the channels, or their mean, bit-identical to `librosa.to_mono`.

    `block` has the shape (frames, channels). The result has the shape (frames,) and the dtype
    float32.
    """
    channels = block.shape[1]
    mono: Float32
    if weights is not None:
        # A matrix product is not used, because its last bits depend on the number of threads.
        columns = [block[:, i] * weight for i, weight in enumerate(weights) if weight]
        mono = _sum(columns)
    elif channels >= _NUMPY_PAIRWISE_LENGTH:
        mono = np.mean(block, axis=1, dtype=np.float32)
    else:  # Adding whole columns is bit-identical and ten times as fast.
        columns = [block[:, channel] for channel in range(channels)]
        mono = _sum(columns)
        mono /= np.float32(channels)
    return mono


def _sum(columns: Sequence[Float32]) -> Float32:
    """Return the sum of the columns, added one after another."""
    mono = columns[0] + columns[1] if len(columns) > 1 else columns[0].copy()
    for column in columns[2:]:
        mono += column
    return mono


def mono_blocks(audio: AudioStream, mix: MonoMix, name: str) -> Iterator[Float32]:
    """Yield each block as mono, with the shape (frames,), without the track's DC offset.

    Raises RejectedInput with the reason non_finite if a sample is infinite or not a number.
    """
    weights = channel_weights(audio.channels, audio.channel_mask)
    for block in audio.blocks:
        mono = mix_to_mono(block, weights) if mix.channel is None else block[:, mix.channel]
        if not np.isfinite(mono).all():
            raise non_finite_error(name)
        yield mono - np.float32(mix.dc_offset) if mix.dc_offset else np.ascontiguousarray(mono)
