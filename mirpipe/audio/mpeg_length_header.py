"""Reads the first frame of an MP3, which declares its length and its encoder delay.

An MP3 encoder adds silence at the start, and the decoder another 529 samples. libsndfile leaves
both out for all encoders, and ffmpeg only for those whose names it knows. Sources: the Xing, LAME
and VBRI specifications; `check_lame_tag` of mpg123, which libsndfile uses; `mp3dec.c` of ffmpeg.
"""

from dataclasses import dataclass

_DECODER_DELAY = 529
_ENCODERS_KNOWN_BY_FFMPEG = (b"LAME", b"Lavf", b"Lavc")
_FIELD_BYTES = {1: 4, 2: 4, 4: 100, 8: 4}
"""Sizes of the fields before the name of the encoder, by the bit that says whether they exist."""


@dataclass(frozen=True)
class LengthHeader:
    """What the frame that declares the length of an MP3 says."""

    frames: int
    """Number of audio frames. 0 if it is not declared."""
    delay_left_by_ffmpeg: int = 0
    """Number of samples at the start that libsndfile leaves out, but ffmpeg does not."""


def read_length_header(frame: bytes) -> LengthHeader | None:
    """Return what this frame declares, or None if it is a normal frame.

    `frame` contains at least the first 192 bytes of the frame, or all of it.
    """
    vbri = frame.find(b"VBRI", 36, 40)
    if vbri > 0:
        return LengthHeader(int.from_bytes(frame[vbri + 14 : vbri + 18]))
    for mark in (b"Xing", b"Info"):
        start = frame.find(mark, 4, 44)
        if start > 0:
            return _read_xing(frame[start:])
    return None


def _read_xing(header: bytes) -> LengthHeader:
    flags = header[7] if len(header) > 7 else 0
    frames = int.from_bytes(header[8:12]) if flags & 1 else 0
    encoder = header[8 + sum(size for flag, size in _FIELD_BYTES.items() if flags & flag) :]
    if not frames or len(encoder) < 24 or encoder.startswith(_ENCODERS_KNOWN_BY_FFMPEG):
        return LengthHeader(frames)
    delay = int.from_bytes(encoder[21:24]) >> 12 if encoder[0] else 0
    return LengthHeader(frames, delay + _DECODER_DELAY)
