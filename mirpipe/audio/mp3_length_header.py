"""Detects whether an MP3 file declares its length in a Xing, Info or VBRI header."""

import os


def mp3_declares_length(descriptor: int) -> bool:
    """Return whether the MP3 has a Xing, Info or VBRI header that contains the number of frames."""
    start = 0
    while (tag := os.pread(descriptor, 10, start))[:3] == b"ID3" and len(tag) == 10:
        start += 10 + sum(
            byte << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True)
        )
    data = os.pread(descriptor, 4096, start)
    sync = next((i for i in range(len(data) - 1) if _is_layer_3_header(data[i : i + 2])), 0)
    first_frame = data[sync : sync + 64]
    if b"VBRI" in first_frame:
        return True
    _, mark, flags = first_frame.replace(b"Info", b"Xing").partition(b"Xing")
    return bool(mark) and len(flags) >= 4 and bool(flags[3] & 1)


def _is_layer_3_header(header: bytes) -> bool:
    return header[0] == 0xFF and header[1] & 0xE6 == 0xE2
