"""Packs pitch classes for storage: 4 bits per frame, so two frames per byte."""

import numpy as np

from mirpipe.records import UInt8


def pack_pitch_classes(pitch_classes: UInt8) -> bytes:
    """Pack pitch classes, shape (frames,), uint8, into bytes that contain two frames each.

    The first frame of a byte is in the high four bits. If the number of frames is odd, the low four
    bits of the last byte are 0.
    """
    even = np.pad(pitch_classes, (0, len(pitch_classes) % 2))
    return ((even[::2] << 4) | even[1::2]).tobytes()


def unpack_pitch_classes(packed: bytes, frames: int) -> UInt8:
    """Return the pitch classes that `pack_pitch_classes` packed, shape (frames,), uint8.

    Raises ValueError if the number of bytes does not match the number of frames.
    """
    pairs = np.frombuffer(packed, dtype=np.uint8)
    if len(pairs) != (frames + 1) // 2:
        raise ValueError(f"{frames} frames need {(frames + 1) // 2} bytes, not {len(pairs)}")
    return np.stack([pairs >> 4, pairs & 0x0F], axis=1).ravel()[:frames]
