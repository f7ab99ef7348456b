"""What a file's own structure says it should hold, so that a shorter file is known as truncated.

libsndfile silently shortens a truncated WAV, AIFF, AU, CAF or Ogg to what is there. Sizes found
here are compared and never allocated. Sources: RIFF/RF64 (EBU Tech 3306), W64 (Sony), AIFF (Apple
1989), CAF (Apple), AU (Sun), Ogg (RFC 3533), Xing and VBRI headers of MP3.
"""

import os
from collections.abc import Callable, Iterator

from mirpipe.audio.limits import check_shape
from mirpipe.errors import RejectedInput

Chunk = tuple[bytes, int, int]
"""Name, position of the content, size that the header claims."""

_ABSURD_CLAIM = 2**31 - 1
_SLOPPY_BYTES = 8  # some writers count the padding
_UNKNOWN = 2**32 - 1
_LARGEST_OGG_PAGE = 65_307
_MAX_CHUNKS = 10_000


def check_declared(descriptor: int, size: int, name: str) -> None:
    """Raises RejectedInput where `size` bytes cannot hold what the file declares.

    Reasons: truncated, absurd_header. A structure that is not known here passes.
    """
    head = os.pread(descriptor, 16, 0)
    if head[:4] == b"OggS":
        _check_ogg(descriptor, size, name)
        return
    chunks = _chunks(head)
    for chunk, start, claimed in chunks(descriptor, size) if chunks else ():
        if chunk == b"fmt " and head[:4] in (b"RIFF", b"RF64"):
            fmt = os.pread(descriptor, 8, start)
            if len(fmt) == 8:
                check_shape(_little(fmt[4:]), _little(fmt[2:4]), name)
        if chunk in (b"data", b"SSND"):
            _check_claim(claimed, size - start, name)


def mp3_declares_length(descriptor: int) -> bool:
    """Whether an MP3 has a Xing, Info or VBRI header that counts its frames."""
    start = 0
    while (tag := os.pread(descriptor, 10, start))[:3] == b"ID3" and len(tag) == 10:
        start += 10 + sum(
            byte << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True)
        )
    frame = os.pread(descriptor, 4096, start)
    sync = next((i for i in range(len(frame) - 1) if _is_layer_3(frame[i : i + 2])), 0)
    first = frame[sync : sync + 64]
    if b"VBRI" in first:
        return True
    _, mark, flags = first.replace(b"Info", b"Xing").partition(b"Xing")
    return bool(mark) and len(flags) >= 4 and bool(flags[3] & 1)


def _is_layer_3(header: bytes) -> bool:
    return header[0] == 0xFF and header[1] & 0xE6 == 0xE2


def _check_claim(claimed: int, available: int, name: str) -> None:
    if claimed <= available + _SLOPPY_BYTES:
        return
    said = f"{name}: the header claims {claimed:,} bytes of samples where {available:,} are"
    if claimed >= _ABSURD_CLAIM:
        raise RejectedInput("absurd_header", f"{said}; if it was written to a pipe, rewrite it")
    raise RejectedInput("truncated", said)


def _chunks(head: bytes) -> Callable[[int, int], Iterator[Chunk]] | None:
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return _riff
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _aiff
    return {b"riff": _w64, b"caff": _caf, b".snd": _au}.get(head[:4])


def _riff(descriptor: int, size: int) -> Iterator[Chunk]:
    long_size = None
    for name, start, claimed in _walk(descriptor, size, first=12, header=8, order=_little, pad=2):
        if name == b"ds64":
            long_size = _little(os.pread(descriptor, 8, start + 8))
        if name == b"data" and claimed == _UNKNOWN and long_size is not None:
            claimed = long_size
        yield name, start, claimed


def _aiff(descriptor: int, size: int) -> Iterator[Chunk]:
    return _walk(descriptor, size, first=12, header=8, order=_big, pad=2)


def _caf(descriptor: int, size: int) -> Iterator[Chunk]:
    for name, start, claimed in _walk(descriptor, size, first=8, header=12, order=_big, pad=1):
        # -1: the last chunk of a file written to a pipe; it reaches to the end by definition
        yield name, start, size - start if claimed == 2**64 - 1 else claimed


def _w64(descriptor: int, size: int) -> Iterator[Chunk]:
    position = 40
    for _ in range(_MAX_CHUNKS):
        head = os.pread(descriptor, 24, position) if position < size else b""
        if len(head) < 24:
            return
        claimed = _little(head[16:])  # counts its own header
        yield head[:4], position + 24, claimed - 24
        position += max(24, claimed + -claimed % 8)


def _au(descriptor: int, size: int) -> Iterator[Chunk]:
    head = os.pread(descriptor, 12, 0)
    start, claimed = _big(head[4:8]), _big(head[8:])
    # all ones: unknown by definition
    yield b"data", start, size - start if claimed == _UNKNOWN else claimed


def _walk(
    descriptor: int,
    size: int,
    *,
    first: int,
    header: int,
    order: Callable[[bytes], int],
    pad: int,
) -> Iterator[Chunk]:
    position = first
    for _ in range(_MAX_CHUNKS):
        head = os.pread(descriptor, header, position) if position < size else b""
        if len(head) < header:
            return
        claimed = order(head[4:])
        yield head[:4], position + header, claimed
        position += header + claimed + claimed % pad


def _check_ogg(descriptor: int, size: int, name: str) -> None:
    """An Ogg stream ends with a whole page that says it is the last."""
    start = max(0, size - 2 * _LARGEST_OGG_PAGE)
    tail = os.pread(descriptor, size - start, start)
    at = tail.rfind(b"OggS\0")
    page = tail[at:] if at >= 0 else b""
    segments = page[26] if len(page) > 26 else 0
    whole = len(page) >= 27 + segments + sum(page[27 : 27 + segments])
    ended = len(page) > 26 and page[5] & 4
    if not (whole and ended):
        raise RejectedInput("truncated", f"{name} breaks off: its last Ogg page is not the end")


def _little(value: bytes) -> int:
    return int.from_bytes(value, "little")


def _big(value: bytes) -> int:
    return int.from_bytes(value, "big")
