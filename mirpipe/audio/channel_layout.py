"""The loudspeaker positions of the channels, as the bits of WAVEFORMATEXTENSIBLE.

Sources: Microsoft's WAVEFORMATEXTENSIBLE, RFC 9639 (FLAC).
"""

# FLAC defines the channels of each number of channels.
_FLAC_MASKS = {3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
# A WAV does not need to declare the positions. 6 and 8 channels are 5.1 and 7.1 by convention.
_WAV_MASKS = {6: 0x3F, 8: 0x63F}
_WAV_FORMATS = {"WAV", "WAVEX", "RF64", "W64"}


def default_mask(container: str, channels: int) -> int | None:
    """Return the positions that a container gives to its channels by default, or None."""
    if container == "FLAC":
        return _FLAC_MASKS.get(channels)
    return _WAV_MASKS.get(channels) if container in _WAV_FORMATS else None


def has_own_order(container: str, channels: int) -> bool:
    """Return whether the container orders more than two channels in its own way.

    ffmpeg decodes such a file, because it puts the channels into the order of the positions.
    """
    return channels > 2 and container != "FLAC" and container not in _WAV_FORMATS
