"""Measures the channels of a track and their mono mix, and decides how they become mono."""

import math

import numpy as np

from mirpipe.audio.downmix import mix_to_mono
from mirpipe.records import Float32, Float64, MonoMix

BLOCK_SECONDS = 1.0
"""Length of the blocks that are measured. Longer blocks do not fit into the processor's cache, and
the last bits of the sums depend on the length."""
LOWEST_CORRELATION = -0.5
"""Two channels with a lower correlation cancel each other in the mono mix."""
_NEARLY_SILENT = 0.05
# A DC offset below this share of the level changes no result, so the samples stay unchanged.
_NEGLIGIBLE_DC = 0.01


class ChannelStatistics:
    """Means, levels and correlation of a track's channels and of its mono mix."""

    def __init__(self, channels: int, weights: Float32 | None) -> None:
        """`weights` are those of `channel_weights`."""
        self.frames = 0
        self.weights = weights
        self._sums = np.zeros(channels)
        self._squares = np.zeros(channels)
        self._product = 0.0
        self._mono_sum = 0.0
        self._mono_squares = 0.0

    def add(self, block: Float32) -> Float32:
        """Add a block, shape (frames, channels), and return its mono mix, shape (frames,)."""
        mono = mix_to_mono(block, self.weights)
        # BLAS is not used, because the last bits of its results depend on the number of threads.
        samples = mono.astype(np.float64)
        self._mono_sum += float(samples.sum())
        self._mono_squares += float(np.einsum("i,i->", samples, samples))
        self.frames += len(block)
        if block.shape[1] > 1:
            self._add_channels(block)
        return mono

    def _add_channels(self, block: Float32) -> None:
        previous = np.empty(0)
        for channel in range(block.shape[1]):
            samples = block[:, channel].astype(np.float64)
            self._sums[channel] += samples.sum()
            self._squares[channel] += np.einsum("i,i->", samples, samples)
            if channel == 1 and block.shape[1] == 2:
                self._product += float(np.einsum("i,i->", previous, samples))
            previous = samples

    @property
    def channel_levels(self) -> Float64:
        """RMS level of each channel without its DC offset, shape (channels,)."""
        if len(self._sums) == 1:
            return np.array([self._mono_level])
        means = self._sums / self.frames
        return np.sqrt(np.maximum(self._squares / self.frames - means**2, 0))

    @property
    def correlation(self) -> float | None:
        """Correlation of the two channels. None if there are not two, or one has a constant
        value."""
        if len(self._sums) != 2 or not self.channel_levels.all():
            return None
        means = self._sums / self.frames
        covariance = self._product / self.frames - means[0] * means[1]
        return float(np.clip(covariance / self.channel_levels.prod(), -1, 1))

    @property
    def mono_channel(self) -> int | None:
        """The channel that is used alone, because the channels cancel each other, or None."""
        levels = self.channel_levels * (1 if self.weights is None else self.weights > 0)
        correlation = self.correlation
        cancels = correlation is not None and correlation < LOWEST_CORRELATION
        is_silent = len(levels) > 1 and self._mono_level < _NEARLY_SILENT * levels.max()
        return int(levels.argmax()) if cancels or is_silent else None

    @property
    def largest_dc_offset(self) -> float:
        """DC offset of the channel with the largest one."""
        if len(self._sums) == 1:
            return self._mono_sum / self.frames
        means = self._sums / self.frames
        return float(means[np.abs(means).argmax()])

    @property
    def dc_offset(self) -> float:
        """Mean of the mono samples."""
        if self.mono_channel is not None:
            return float(self._sums[self.mono_channel] / self.frames)
        return self._mono_sum / self.frames

    @property
    def rms_dbfs(self) -> float:
        """Level of the mono samples without their DC offset, in dB relative to full scale."""
        channel = self.mono_channel
        level = self._mono_level if channel is None else float(self.channel_levels[channel])
        return 20 * math.log10(level) if level > 0 else -math.inf

    @property
    def mix(self) -> MonoMix:
        """How the track becomes mono."""
        level = 10 ** (self.rms_dbfs / 20)
        is_negligible = abs(self.dc_offset) < _NEGLIGIBLE_DC * level
        return MonoMix(self.mono_channel, 0.0 if is_negligible else self.dc_offset)

    @property
    def _mono_level(self) -> float:
        mean = self._mono_sum / self.frames
        return math.sqrt(max(self._mono_squares / self.frames - mean * mean, 0.0))
