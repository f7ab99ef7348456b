"""Finds the frames of MPEG audio (MP1, MP2 and MP3) by following the frame headers.

An MP3 file has no header for the whole file. The lengths that decoders report are read from a Xing,
Info or VBRI frame, or are estimated from the first bit rate. Here, the frames are counted. Sources:
ISO/IEC 11172-3 and 13818-3; the Xing, VBRI, ID3v2 and APEv2 specifications.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from mirpipe.audio.file_part import FilePart
from mirpipe.audio.mpeg_length_header import read_length_header

_BIT_RATES = {  # kbit/s by (is MPEG-1, layer); the index 0 is a free format, which is not followed.
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_LANDMARK = re.compile(
    rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xef]|ID3[\x02-\x04]|TAG|APETAGEX|LYRICSBEGIN"
)
_NOT_ZERO = re.compile(rb"[^\0]")
_CHAIN_FRAMES = 3  # A sync word counts only if this many frames follow each other.
_SEARCHED_BYTES = 1 << 18
_MAX_SKIPPED_BYTES = 1 << 26


@dataclass(frozen=True)
class _Frame:
    stream: tuple[int, int, int]
    """Version, layer and sample rate, which do not change within a stream."""
    size: int
    samples: int


@dataclass
class MpegStream:
    """One stream of MPEG audio: a complete file, or one part of a joined file."""

    start: int
    """Position of the first frame."""
    end: int
    sample_rate: int
    samples: int = 0
    """Number of samples in all complete frames, without the frame that declares the length."""
    declared_samples: int | None = None
    """Number of samples that the Xing, Info or VBRI frame declares, or None."""
    skipped: list[tuple[int, int]] = field(default_factory=list)
    """Bytes between the frames that are not frames: samples before them, and their number."""
    is_cut: bool = False
    """Whether the stream ends in the middle of a frame."""
    delay_left_by_ffmpeg: int = 0
    """Number of samples at the start that libsndfile leaves out as encoder delay, but ffmpeg does
    not."""


def read_mpeg_streams(file: FilePart) -> list[MpegStream]:
    """Return the streams of the file, in order. The list is empty if no frames are found.

    Tags, and anything before the first frame of the file, are skipped. A new stream begins at a
    frame that declares a length, after a tag, and where the sample rate changes.
    """
    streams: list[MpegStream] = []
    current: tuple[int, int, int] | None = None
    position = _next_landmark(file, _after_zeros(file), _SEARCHED_BYTES)
    while position is not None and position < file.size:
        frame = _frame_at(file, position)
        if frame is not None and (frame.stream == current or _is_chain(file, position)):
            if position + frame.size > file.size:
                if streams:
                    streams[-1].is_cut = True
                break
            header = read_length_header(file.buffered_at(position, min(frame.size, 192)))
            if header is not None or frame.stream != current:
                stream = MpegStream(position, position, frame.stream[2])
                if header is not None:
                    stream.declared_samples = header.frames * frame.samples or None
                    stream.delay_left_by_ffmpeg = header.delay_left_by_ffmpeg
                streams.append(stream)
                current = frame.stream
            if header is None:
                streams[-1].samples += frame.samples
            position += frame.size
            streams[-1].end = position
        elif (after_tag := _end_of_tag(file, position)) is not None:
            position, current = after_tag, None
        else:
            following = _next_landmark(file, position + 1, _MAX_SKIPPED_BYTES)
            if streams:
                end = file.size if following is None else following
                streams[-1].skipped.append((streams[-1].samples, end - position))
            position = following
    return streams


def skipped_audio(stream: MpegStream) -> list[tuple[float, float]]:
    """Return the position and duration, in seconds, of the audio in the skipped bytes.

    The duration is estimated from the average bit rate of the stream.
    """
    seconds = stream.samples / stream.sample_rate
    inside = sum(count for samples, count in stream.skipped if samples < stream.samples)
    seconds_per_byte = seconds / max(1, stream.end - stream.start - inside)
    return [
        (samples / stream.sample_rate, count * seconds_per_byte)
        for samples, count in stream.skipped
    ]


def _next_landmark(file: FilePart, position: int, search_bytes: int) -> int | None:
    """Return the position of the next tag, or frame that is followed by more frames, or None."""
    limit = min(file.size, position + search_bytes)
    while position < limit:
        content = file.read_at(position, 1 << 16)
        for match in _LANDMARK.finditer(content):
            found = position + match.start()
            is_sync = match[0][0] == 0xFF
            if _is_chain(file, found) if is_sync else _end_of_tag(file, found) is not None:
                return found
        position += max(1, len(content) - 16)
    return None


def _after_zeros(file: FilePart) -> int:
    position = 0
    while position < min(file.size, _MAX_SKIPPED_BYTES):
        content = file.read_at(position, 1 << 20)
        found = _NOT_ZERO.search(content)
        if found:
            return position + found.start()
        position += len(content)
    return position


def _is_chain(file: FilePart, position: int) -> bool:
    stream = None
    for count in range(_CHAIN_FRAMES):
        if position == file.size or _end_of_tag(file, position) is not None:
            return count > 0
        frame = _frame_at(file, position)
        if frame is None or (stream is not None and frame.stream != stream):
            return False
        if position + frame.size > file.size:
            return count > 0
        stream = frame.stream
        position += frame.size
    return True


def _end_of_tag(file: FilePart, position: int) -> int | None:
    """Return the position after the tag that begins at this position, or None if there is none.

    If a tag declares more bytes than the file has, only its header is skipped.
    """
    head = file.buffered_at(position, 32)
    if head[:3] == b"ID3" and len(head) >= 10:
        size = sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        has_footer = bool(head[5] & 0x10)
        end = position + 10 + size + (10 if has_footer else 0)
        return end if end <= file.size else position + 10
    if head[:3] == b"TAG":
        end = position + 128
        is_end = end == file.size or file.buffered_at(end, 3) == b"ID3"
        return end if is_end or _frame_at(file, end) is not None else None
    if head[:8] == b"APETAGEX" and len(head) == 32:
        is_header = bool(head[23] & 0x20)
        size = int.from_bytes(head[12:16], "little") if is_header else 0
        return min(file.size, position + 32 + size)
    if head[:11] == b"LYRICSBEGIN":
        found = re.search(rb"LYRICSEND|LYRICS200", file.read_at(position, 1 << 17))
        return position + found.end() if found else None
    return None


def _frame_at(file: FilePart, position: int) -> _Frame | None:
    head = file.buffered_at(position, 3)
    if len(head) < 3 or head[0] != 0xFF:
        return None
    return _parse(head[1], head[2])


@lru_cache(maxsize=4096)
def _parse(second: int, third: int) -> _Frame | None:
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    bit_rate_index, rate_index = third >> 4, third >> 2 & 3
    if second & 0xE0 != 0xE0 or version == 1 or layer == 4 or rate_index == 3:
        return None
    if not 1 <= bit_rate_index <= 14:
        return None
    is_mpeg_1 = version == 3
    rate = (44_100, 48_000, 32_000)[rate_index] // {3: 1, 2: 2, 0: 4}[version]
    bit_rate = 1000 * _BIT_RATES[is_mpeg_1, layer][bit_rate_index - 1]
    padding = third >> 1 & 1
    if layer == 1:
        return _Frame((version, layer, rate), (12 * bit_rate // rate + padding) * 4, 384)
    samples = 1152 if is_mpeg_1 or layer == 2 else 576
    return _Frame((version, layer, rate), samples // 8 * bit_rate // rate + padding, samples)
