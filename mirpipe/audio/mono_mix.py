"""Measures how a file becomes mono, for files whose facts are not stored."""

from mirpipe.audio.channel_statistics import BLOCK_SECONDS, ChannelStatistics
from mirpipe.audio.decode import decode
from mirpipe.audio.downmix import channel_weights
from mirpipe.files.printable_path import AnyPath
from mirpipe.records import MonoMix


def measure_mono_mix(path: AnyPath) -> MonoMix:
    """Decode the file and return how its channels become mono, as `read_audio_facts` does.

    Raises RejectedInput with one of the reasons of `decode`.
    """
    with decode(path, block_seconds=BLOCK_SECONDS) as audio:
        weights = channel_weights(audio.channels, audio.channel_mask)
        statistics = ChannelStatistics(audio.channels, weights)
        for block in audio.blocks:
            statistics.add(block)
    return statistics.mix
